"""DICOMweb: studies pulled from an archive (QIDO-RS, WADO-RS) and results pushed to it (STOW-RS), PS3.18.

An archive is one of those in the recipe: callers name it, they never give an address. A redirect is an error, no proxy
and no certificate but the configured ones is used, and an answer is counted while it is read.
"""

import base64
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from osler.core.errors import InputError, OslerError
from osler.core.files import existing_file
from osler.media.dicom import load_pydicom
from osler.serve.studies.service import related

_UID = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){1,31}")
_SEARCHED = ("PatientID", "AccessionNumber", "StudyInstanceUID", "StudyDate", "ModalitiesInStudy")
_VALUE = re.compile(r"[\w .,:/^+\-]{1,64}")
_DICOM_JSON = "application/dicom+json"
_MOST_FOUND = 100
_JSON_BYTES = 16 << 20
_OUR_USE_ONLY = 0o077
_FINE = (200, 204)


class ArchiveError(OslerError):
    """An archive did not do what was asked. The message names the archive and no word of its answer."""


@dataclass(frozen=True)
class Archive:
    """A DICOMweb service of the recipe.

    url: its base, such as `https://pacs.hospital/dicom-web`. credentials: `user:password` or a bearer token, from a
    file. ca_file: the house's own certificate authority. most_bytes: of one study.
    """

    name: str
    url: str
    credentials: str = field(default="", repr=False)
    ca_file: Path | None = None
    timeout_s: float = 60.0
    most_bytes: int = 512 << 20


def read_credentials(path: Path) -> str:
    """The one line of a file that only its owner can read. Raises InputError where it is not so."""
    path = existing_file(path)
    mode = path.stat().st_mode & 0o777
    if mode & _OUR_USE_ONLY:
        raise InputError(
            f"the file of credentials {path} can be read by others",
            expected="mode 600 or 400",
            got=f"{mode:o}",
            fix=f"chmod 600 {path}",
        )
    lines = path.read_text(encoding="utf-8").split("\n")
    if not lines[0].strip() or any(line.strip() for line in lines[1:]):
        raise InputError(f"{path} holds no credentials", expected="one line, user:password or a token")
    return lines[0].strip()


def checked_url(url: str) -> str:
    """A base address without user, query or a last slash. Raises InputError where it is none.

    Plain HTTP is taken on this machine only: names of patients travel on it.
    """
    parts = urlsplit(url)
    is_here = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if parts.scheme not in ({"http", "https"} if is_here else {"https"}) or not parts.hostname:
        raise InputError(
            "no address of a DICOMweb service", expected="https://HOST[:PORT]/PATH", got=parts.scheme or "none"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError("the address of a DICOMweb service has more than a host and a path", fix="Put them in a file.")
    return url.rstrip("/")


class DicomWeb:
    """A client of one archive. Calls block."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        httpx = _load_httpx()
        verify: Any = ssl.create_default_context(cafile=str(archive.ca_file) if archive.ca_file else None)
        self._client = httpx.Client(
            base_url=checked_url(archive.url),
            headers=_authorization(archive.credentials),
            timeout=archive.timeout_s,
            follow_redirects=False,
            trust_env=False,
            verify=verify,
        )

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def studies(self, query: Mapping[str, str], *, limit: int = 20) -> list[Any]:
        """QIDO-RS: the studies that match, as pydicom datasets with what the archive tells of each.

        Raises:
            InputError: another key than may be searched, or a value with other characters.
            ArchiveError: no answer, or one that is not DICOM JSON.
        """
        known = [key for key in query if key in _SEARCHED]
        if not query or len(known) < len(query):
            raise InputError("studies are searched by other keys", expected=", ".join(_SEARCHED))
        if not all(_VALUE.fullmatch(value) for value in query.values()):
            raise InputError("a value of the search has characters that no identifier has")
        return self._datasets("/studies", {**query, "limit": str(min(limit, _MOST_FOUND))})

    def headers(self, study_uid: str) -> list[Any]:
        """WADO-RS metadata: the header of each instance of a study, as pydicom datasets."""
        return self._datasets(f"/studies/{checked_uid(study_uid)}/metadata", {})

    def study(self, study_uid: str) -> tuple[bytes, str]:
        """WADO-RS: all instances of a study, as the body of a `multipart/related` answer and its media type.

        Raises:
            ArchiveError: no such study, no answer, more than `most_bytes`, or an answer of another type.
        """
        accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
        path = f"/studies/{checked_uid(study_uid)}"
        body, kind = self._get(path, {}, accept, self._archive.most_bytes)
        if not kind.lower().startswith("multipart/related"):
            raise ArchiveError(f"the archive {self._archive.name} answered with another type of content")
        return body, kind

    def store(self, files: list[bytes]) -> None:
        """STOW-RS. Raises ArchiveError where the archive does not take every file."""
        body, kind = related(files)
        headers = {"content-type": kind, "accept": _DICOM_JSON}
        self._talk("POST", "/studies", _JSON_BYTES, content=body, headers=headers)

    def _datasets(self, path: str, query: Mapping[str, str]) -> list[Any]:
        body, _ = self._get(path, query, _DICOM_JSON, _JSON_BYTES)
        if not body:
            return []
        try:
            return [load_pydicom().Dataset.from_json(one) for one in json.loads(body)]
        except Exception as error:
            raise ArchiveError(f"the archive {self._archive.name} answered with no DICOM JSON") from error

    def _get(self, path: str, query: Mapping[str, str], accept: str, most: int) -> tuple[bytes, str]:
        return self._talk("GET", path, most, params=dict(query), headers={"accept": accept})

    def _talk(self, method: str, path: str, most: int, **request: Any) -> tuple[bytes, str]:
        """The body of an answer and its media type."""
        try:
            with self._client.stream(method, path, **request) as answer:
                return self._read(answer, most), str(answer.headers.get("content-type", ""))
        except _load_httpx().HTTPError as error:
            kind = type(error).__name__
            raise ArchiveError(f"the archive {self._archive.name} cannot be reached: {kind}") from None

    def _read(self, answer: Any, most: int) -> bytes:
        if 300 <= answer.status_code < 400:
            raise ArchiveError(f"the archive {self._archive.name} wants to send us elsewhere, which is refused")
        if answer.status_code not in _FINE:
            raise ArchiveError(f"the archive {self._archive.name} answered with status {answer.status_code}")
        got = bytearray()
        for part in answer.iter_bytes():
            got += part
            if len(got) > most:
                raise ArchiveError(f"the archive {self._archive.name} sends more than {most} bytes")
        return bytes(got)


def checked_uid(uid: str) -> str:
    """`uid`, if it is one. Raises InputError that does not repeat it."""
    if len(uid) > 64 or not _UID.fullmatch(uid):
        raise InputError("not a DICOM UID", expected="numbers with dots between them, at most 64 characters")
    return uid


def _authorization(credentials: str) -> dict[str, str]:
    if not credentials:
        return {}
    if ":" in credentials:
        return {"authorization": "Basic " + base64.b64encode(credentials.encode()).decode("ascii")}
    return {"authorization": f"Bearer {credentials}"}


def _load_httpx() -> Any:
    try:
        import httpx2
    except ModuleNotFoundError as error:
        raise InputError("DICOMweb needs the package 'httpx2'", fix="pip install 'osler[pacs]'") from error
    return httpx2

"""Wheels: what pip would install of a folder of wheels, without a network, and the lock that pins every one by hash."""

import re
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from urllib.parse import unquote, urlparse

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from osler.core.errors import InputError
from osler.core.files import existing_folder, read_json
from osler.serve.bundle.licences import licence_of
from osler.serve.bundle.pip import pip


@dataclass(frozen=True)
class Wheel:
    """A package of the bundle."""

    name: str
    version: str
    file: Path
    sha256: str
    licence: str
    summary: str
    requires: tuple[str, ...]


def make_wheels(source: Path, extras: Sequence[str], *, constraints: Path, into: Path) -> None:
    """Fetch or build the wheels of a source tree and of all that it needs, with the index that pip knows."""
    wanted = f"{existing_folder(source).resolve()}{_extras(extras)}"
    pip(["wheel", "--quiet", "--constraint", str(constraints), "--wheel-dir", str(into), wanted], is_alone=False)


def needed_wheels(folder: Path, extras: Sequence[str]) -> list[Wheel]:
    """The wheels of a folder that `osler[extras]` needs here, in order of their names.

    Raises:
        InputError: none or several wheels of osler, or one that is needed is missing.
    """
    own = _own_wheel(existing_folder(folder))
    version = str(parse_wheel_filename(own.name)[1])
    with tempfile.TemporaryDirectory() as made:
        report = Path(made) / "report.json"
        pip(
            [
                "install", "--quiet", "--dry-run", "--ignore-installed", "--no-index", "--no-cache-dir",
                "--only-binary", ":all:", "--find-links", str(folder.resolve()), "--report", str(report),
                f"osler{_extras(extras)}=={version}",
            ]
        )  # fmt: skip
        found = [_wheel(entry) for entry in read_json(report)["install"]]
    return sorted(found, key=lambda wheel: wheel.name)


def lock_text(wheels: Sequence[Wheel], extras: Sequence[str]) -> str:
    """A requirements file that names every package once, by version and hash."""
    lines = [
        f"{wheel.name}{_extras(extras) if wheel.name == 'osler' else ''}=={wheel.version} --hash=sha256:{wheel.sha256}"
        for wheel in wheels
    ]
    return "".join(f"{line}\n" for line in lines)


def _extras(extras: Sequence[str]) -> str:
    return f"[{','.join(sorted(extras))}]" if extras else ""


def _own_wheel(folder: Path) -> Path:
    found = []
    for path in sorted(folder.glob("*.whl")):
        try:
            name = parse_wheel_filename(path.name)[0]
        except InvalidWheelFilename as error:
            raise InputError(f"{path} is not named as a wheel", fix="Remove it.") from error
        if name == "osler":
            found.append(path)
    if len(found) != 1:
        raise InputError(
            f"{folder} holds {len(found)} wheels of osler",
            expected="one",
            fix=f"pip wheel -c constraints.txt -w {folder} '.[serve,train]' makes it and what it needs.",
        )
    return found[0]


def _wheel(entry: dict[str, object]) -> Wheel:
    download = entry["download_info"]
    if not isinstance(download, dict):
        raise InputError("pip's report has another form than the one known", fix="Use pip 23 or newer.")
    path = Path(unquote(urlparse(download["url"]).path))
    words = _metadata(path)
    requires = [re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0] for each in words.get_all("Requires-Dist") or []]
    return Wheel(
        name=canonicalize_name(words["Name"]),
        version=words["Version"],
        file=path,
        sha256=str(download["archive_info"]["hashes"]["sha256"]),
        licence=licence_of(words.get_all),
        summary=words["Summary"] or "",
        requires=tuple(sorted({canonicalize_name(each) for each in requires})),
    )


def _metadata(wheel: Path) -> Message:
    """The core metadata of a wheel; the report of older pips lacks the licence."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return BytesParser(policy=default).parsebytes(archive.read(name), headersonly=True)

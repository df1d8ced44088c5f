"""Config: the part `studies` of a recipe of `osler serve`, and what is opened by it."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PositiveFloat, PositiveInt, StringConstraints, model_validator

from osler.core.config import Config
from osler.core.files import existing_file
from osler.core.sandbox import Bounds
from osler.media.deid import Ocr
from osler.media.deid_header import Times
from osler.media.deid_key import MIN_KEY_BYTES, Pseudonyms, read_key
from osler.media.deid_ocr import MARKERS
from osler.serve.studies.dicomweb import Archive, DicomWeb, checked_url, read_credentials
from osler.serve.studies.keep import Keep
from osler.serve.studies.receiver import Destination, Listen, Receiver
from osler.serve.studies.service import Studies
from osler.serve.studies.silence import silence
from osler.serve.studies.work import Rules
from osler.serve.trail import Recorder

AeTitle = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\- ]{1,16}$", strip_whitespace=True)]
_MB = 1 << 20
_DEFLATED_MB = 64


class KeepConfig(Config):
    """Where clean studies stay, how long, and how much of the disk they may have."""

    folder: str
    hours: PositiveFloat
    max_gb: PositiveFloat = 20.0


class ArchiveConfig(Config):
    """A DICOMweb service. credentials_file: one line, `user:password` or a token, mode 600."""

    url: str
    credentials_file: str = ""
    ca_file: str = ""
    timeout_s: PositiveFloat = 60.0
    max_mb: PositiveInt = 512


class ReceiveConfig(Config):
    """The C-STORE service; see `receiver.Listen`."""

    ae_title: AeTitle = "OSLER"
    callers: Annotated[tuple[AeTitle, ...], Field(min_length=1)]
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 11112
    addresses: tuple[str, ...] = ()
    max_instance_mb: PositiveInt = 256
    per_minute: PositiveFloat = 600.0
    certificate: str = ""
    key: str = ""
    ca: str = ""

    @model_validator(mode="after")
    def _has_whole_tls(self) -> Self:
        if 0 < sum(map(bool, (self.certificate, self.key, self.ca))) < 3:
            raise ValueError("TLS needs certificate, key and ca: both sides show a certificate")
        return self


class DestinationConfig(Config):
    """An application entity that takes results by C-STORE. ca makes it TLS; certificate and key are ours."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    ae_title: AeTitle
    our_title: AeTitle = "OSLER"
    timeout_s: PositiveFloat = 30.0
    certificate: str = ""
    key: str = ""
    ca: str = ""

    @model_validator(mode="after")
    def _has_whole_tls(self) -> Self:
        if bool(self.certificate) != bool(self.key) or (self.certificate and not self.ca):
            raise ValueError("TLS needs ca; where we show a certificate, too, certificate and key")
        return self


class StudiesConfig(Config):
    """How studies come in and results go out.

    key_file: of the pseudonyms; without one they change at every start, and nothing links two of them. ocr, times,
    markers: see `media.deid.Policy`. sandboxes: uploads that are read at a time; each has `memory_mb` and `timeout_s`.
    max_frame_megapixels: of one frame. keep: nothing stays beyond the request without it.
    """

    key_file: str = ""
    ocr: Ocr = "all"
    times: Times = "hour"
    markers: tuple[str, ...] = MARKERS
    sandboxes: PositiveInt = 1
    timeout_s: PositiveFloat = 120.0
    memory_mb: Annotated[int, Field(ge=512)] = 2048
    max_upload_mb: PositiveInt = 256
    max_files: PositiveInt = 2000
    max_inflated_mb: PositiveInt = 512
    max_frame_megapixels: PositiveFloat = 40.0
    keep: KeepConfig | None = None
    archives: dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,32}$")], ArchiveConfig] = {}
    receive: ReceiveConfig | None = None
    destinations: dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,32}$")], DestinationConfig] = {}


@dataclass
class Opened:
    """What the routes use. names: the pseudonyms, the same as in the sandboxes."""

    studies: Studies
    names: Pseudonyms = field(repr=False)
    archives: dict[str, DicomWeb]
    destinations: dict[str, Destination]
    receiver: Receiver | None
    max_upload_bytes: int

    def close(self) -> None:
        """End all of it."""
        if self.receiver is not None:
            self.receiver.close()
        for archive in self.archives.values():
            archive.close()
        self.studies.close()


def open_studies(config: StudiesConfig, *, recorder: Recorder | None = None, target: str = "") -> Opened:
    """Start the sandboxes, the clients and the receiver.

    Args:
        config: what the recipe says.
        recorder: enters in the audit trail what the receiver takes.
        target: another worker than the product's, for tests.

    Raises:
        InputError: a file is missing or open to others, an address is none, a port is taken, a package is missing.
    """
    silence()
    key = read_key(Path(config.key_file)) if config.key_file else secrets.token_bytes(MIN_KEY_BYTES)
    keep = config.keep and Keep(Path(config.keep.folder), config.keep.hours, int(config.keep.max_gb * (1 << 30)))
    options = {"target": target} if target else {}
    studies = Studies(
        _rules(config, key),
        keep=keep or None,
        bounds=Bounds(config.timeout_s, config.memory_mb),
        num_sandboxes=config.sandboxes,
        **options,
    )
    archives = {name: DicomWeb(_archive(name, one)) for name, one in config.archives.items()}
    destinations = {name: _destination(name, one) for name, one in config.destinations.items()}
    receiver = Receiver(studies, _listen(config.receive), recorder) if config.receive else None
    opened = Opened(studies, Pseudonyms(key), archives, destinations, receiver, config.max_upload_mb * _MB)
    try:
        studies.open()
        if receiver is not None:
            receiver.open()
    except BaseException:
        opened.close()
        raise
    return opened


def _rules(config: StudiesConfig, key: bytes) -> Rules:
    return Rules(
        key=key.hex(),
        ocr=config.ocr,
        times=config.times,
        markers=config.markers,
        parts=config.max_files,
        inflated_bytes=config.max_inflated_mb * _MB,
        deflated_bytes=min(_DEFLATED_MB, config.max_inflated_mb) * _MB,
        frame_pixels=int(config.max_frame_megapixels * 1_000_000),
    )


def _archive(name: str, config: ArchiveConfig) -> Archive:
    credentials = read_credentials(Path(config.credentials_file)) if config.credentials_file else ""
    ca_file = _path(config.ca_file)
    return Archive(name, checked_url(config.url), credentials, ca_file, config.timeout_s, config.max_mb * _MB)


def _listen(config: ReceiveConfig) -> Listen:
    return Listen(
        ae_title=config.ae_title,
        callers=config.callers,
        host=config.host,
        port=config.port,
        addresses=config.addresses,
        instance_bytes=config.max_instance_mb * _MB,
        per_minute=config.per_minute,
        burst=max(1, int(config.per_minute)),
        certificate=_path(config.certificate),
        key=_path(config.key),
        ca=_path(config.ca),
    )


def _destination(name: str, config: DestinationConfig) -> Destination:
    return Destination(
        name=name,
        host=config.host,
        port=config.port,
        ae_title=config.ae_title,
        our_title=config.our_title,
        timeout_s=config.timeout_s,
        certificate=_path(config.certificate),
        key=_path(config.key),
        ca=_path(config.ca),
    )


def _path(text: str) -> Path | None:
    return existing_file(Path(text)) if text else None

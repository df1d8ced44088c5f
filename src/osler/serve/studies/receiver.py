"""Receiver: a C-STORE service that modalities and archives send to (PS3.4, annex B), and the sender of our results.

Only named application entities are heard. What comes is cleaned in a sandbox and kept under pseudonyms and hashes: no
UID, no name and no path of a sender is ever part of a file's name, and a file as it came is never written.
"""

import io
import secrets
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from osler.core.errors import InputError, OslerError
from osler.media.dicom import load_pydicom
from osler.serve.limits import Pace
from osler.serve.refusal import Refusal
from osler.serve.studies.line import Bounds, bounded_server, load_pynetdicom, object_taken
from osler.serve.studies.service import Studies
from osler.serve.studies.silence import silence
from osler.serve.studies.work import Ask
from osler.serve.trail import Recorder

_OK, _BUSY, _NO_ROOM, _NOT_UNDERSTOOD, _NOT_FOR_US = 0x0000, 0xA700, 0xA701, 0xC000, 0xA900
_PDU_BYTES = 1 << 16
_ENDING_S = 2.0
_ROUTE = "C-STORE"
_HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class Listen:
    """How the receiver listens.

    ae_title: ours; a caller who wants another is refused. callers: who may call, by AE title; `addresses` bounds from
    where, where it names any. instance_bytes: of one object. per_minute: objects of one caller. greeting_s: how long
    a connection may wait before it says who it is. certificate, key, ca: TLS in both directions; without it only this
    machine is heard.
    """

    ae_title: str
    callers: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int = 11112
    addresses: tuple[str, ...] = ()
    instance_bytes: int = 256 << 20
    per_minute: float = 600.0
    burst: int = 600
    associations: int = 8
    greeting_s: float = 5.0
    idle_s: float = 30.0
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


@dataclass
class Tally:
    """What came, in numbers."""

    taken: int = 0
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, taken: bool) -> None:
        """One more."""
        with self.lock:
            self.taken += taken
            self.refused += not taken


class Receiver:
    """The service, in threads of its own.

    Args:
        studies: cleans and keeps.
        listen: on what, and to whom.
        recorder: enters each object in the audit trail, before it is read and before it is answered; one that cannot be
            entered is refused. None enters nothing.
    """

    def __init__(self, studies: Studies, listen: Listen, recorder: Recorder | None = None) -> None:
        if studies.keep is None:
            raise InputError("a receiver needs a place to keep studies", fix="Set `studies.keep` in the recipe.")
        if not listen.callers:
            raise InputError("a receiver needs the AE titles that may call", fix="Set `studies.receive.callers`.")
        if listen.host not in _HERE and not (listen.certificate and listen.key and listen.ca):
            raise InputError(
                "a receiver that others than this machine reach needs TLS",
                expected="certificate, key and ca, or the host 127.0.0.1",
                got=listen.host,
            )
        self._studies, self._listen, self._recorder = studies, listen, recorder
        self._pace = Pace(listen.per_minute, listen.burst)
        self._server: Any = None
        self.tally = Tally()

    @property
    def port(self) -> int:
        """On which it listens; the system's choice where the recipe says 0."""
        return int(self._server.server_address[1])

    def open(self) -> None:
        """Begin to listen. Raises InputError where the port is taken or a package is missing."""
        network = load_pynetdicom()
        silence()
        entity = network.AE(ae_title=self._listen.ae_title)
        entity.require_called_aet = True
        entity.require_calling_aet = list(self._listen.callers)
        entity.maximum_associations = self._listen.associations
        entity.maximum_pdu_size = _PDU_BYTES
        entity.acse_timeout = self._listen.greeting_s
        entity.dimse_timeout = entity.network_timeout = self._listen.idle_s
        syntaxes = network.ALL_TRANSFER_SYNTAXES
        for context in network.AllStoragePresentationContexts:
            entity.add_supported_context(context.abstract_syntax, syntaxes)
        entity.add_supported_context("1.2.840.10008.1.1")
        listen = self._listen
        bounds = Bounds(_PDU_BYTES, listen.instance_bytes, listen.idle_s, listen.addresses)
        handlers = [(network.evt.EVT_C_STORE, self._store)]
        tls = self._tls()
        try:
            self._server = bounded_server(
                entity,
                (listen.host, listen.port),
                bounds,
                cut=self._cut,
                evt_handlers=handlers,
                ssl_context=tls,
            )
        except OSError as error:
            raise InputError(
                f"cannot listen on {self._listen.host}:{self._listen.port}", got=error.strerror or ""
            ) from error

    def close(self) -> None:
        """Stop listening and end associations."""
        if self._server is not None:
            self._server.shutdown()

    def _cut(self) -> None:
        self.tally.add(taken=False)

    def _store(self, event: Any) -> Any:
        object_taken(event.assoc)
        caller = str(event.assoc.requestor.ae_title).strip()
        try:
            status = self._entered(caller, event.encoded_dataset())
        except Exception:  # noqa: BLE001 - whatever it is, what is not in the trail was not taken
            status = _BUSY
        self.tally.add(taken=status == _OK)
        return status

    def _entered(self, caller: str, data: bytes) -> int:
        """The status of an object whose coming and end are in the trail."""
        recorder = self._recorder
        if recorder is None:
            return self._taken(caller, data)
        told = {"who": f"ae:{caller}", "route": _ROUTE, "request_id": secrets.token_hex(16)}
        digests, counts = (recorder.digest(data),), {"bytes_in": len(data)}
        recorder.enter(replace(recorder.event("asked", **told), image_hmacs=digests, counts=counts))
        status = self._taken(caller, data)
        end = recorder.event("answered" if status == _OK else "refused", **told)
        recorder.enter(replace(end, image_hmacs=digests, counts={**counts, "dicom_status": status}))
        return status

    def _taken(self, caller: str, data: bytes) -> int:
        if self._pace.take(caller):
            return _BUSY
        try:
            taken = self._studies.take(data, "application/dicom", Ask(images=0))
        except Refusal as refusal:
            return _NO_ROOM if refusal.status == 503 else _NOT_UNDERSTOOD
        except Exception:  # noqa: BLE001 - what the sender sent may be in its text; the library would log it
            return _NOT_UNDERSTOOD
        return _OK if taken.answer["studies"] else _NOT_FOR_US

    def _tls(self) -> ssl.SSLContext | None:
        listen = self._listen
        if not (listen.certificate and listen.key and listen.ca):
            return None
        context = _Later(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(cafile=str(listen.ca))
            context.load_cert_chain(listen.certificate, listen.key, password="")
        except OSError as error:
            raise _no_tls("studies.receive", error) from error
        return context


class _Later(ssl.SSLContext):
    """The library shakes hands in the thread that accepts everybody; here the first read does, in the caller's own."""

    def wrap_socket(self, sock: Any, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """As the base class, without a handshake."""
        return super().wrap_socket(sock, *args, **{**kwargs, "do_handshake_on_connect": False})


@dataclass(frozen=True, kw_only=True)
class Destination:
    """An application entity of the recipe that results are sent to. ca: TLS, which others than this machine need."""

    name: str
    host: str
    port: int
    ae_title: str
    our_title: str = "OSLER"
    timeout_s: float = 30.0
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


class SendError(OslerError):
    """A destination did not take what was sent."""


def send(files: Sequence[bytes], to: Destination) -> None:
    """C-STORE of DICOM files. Raises SendError where one is not taken, InputError where the way is not safe."""
    if to.host not in _HERE and not to.ca:
        raise InputError(
            f"the destination {to.name} is another machine and has no TLS", expected="ca, certificate, key"
        )
    network = load_pynetdicom()
    silence()
    datasets = [load_pydicom().dcmread(io.BytesIO(data)) for data in files]
    entity = network.AE(ae_title=to.our_title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = to.timeout_s
    for pair in sorted({(str(d.SOPClassUID), str(d.file_meta.TransferSyntaxUID)) for d in datasets}):
        entity.add_requested_context(*pair)
    lines: list[Any] = []
    handlers = [(network.evt.EVT_CONN_OPEN, lambda event: lines.append(event.assoc.dul.socket.socket))]
    tls = _tls_to(to)
    association = entity.associate(to.host, to.port, ae_title=to.ae_title, tls_args=tls, evt_handlers=handlers)
    try:
        _send_all(datasets, association, to)
    finally:
        association.release()
        if association.is_alive():
            association.join(_ENDING_S)
        for line in lines:
            line.close()  # the library leaves it open where the other side was first


def _send_all(datasets: Sequence[Any], association: Any, to: Destination) -> None:
    if not association.is_established:
        raise SendError(f"the destination {to.name} does not talk to us as {to.our_title}")
    for dataset in datasets:
        answer = association.send_c_store(dataset)
        if "Status" not in answer or answer.Status not in {0x0000, 0xB000, 0xB006, 0xB007}:
            status = f"status {answer.Status:04X}" if "Status" in answer else "no answer"
            raise SendError(f"the destination {to.name} did not take an object: {status}")


def _tls_to(to: Destination) -> tuple[ssl.SSLContext, str] | None:
    if not to.ca:
        return None
    try:
        context = ssl.create_default_context(cafile=str(to.ca))
        if to.certificate and to.key:
            context.load_cert_chain(to.certificate, to.key, password="")
    except OSError as error:
        raise _no_tls(f"studies.destinations.{to.name}", error) from error
    return context, to.host


def _no_tls(place: str, error: OSError) -> InputError:
    return InputError(
        f"the TLS files of {place} cannot be used",
        expected="PEM files: a certificate, its private key without a password, and the certificate of the authority",
        got=error.strerror or type(error).__name__,
    )

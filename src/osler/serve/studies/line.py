"""Line: pynetdicom's server with an end to what one connection may send, and how slowly.

The library reads as many bytes as a PDU says it has, up to 4 GiB and before anybody has said who he is, and gathers an
object in memory until its last fragment. Its documented seams (server class, request handler) take our socket instead.
"""

import socket
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from osler.core.errors import InputError

_GREETING_BYTES = 256 << 10
_HEAD_BYTES = 6


@dataclass(frozen=True)
class Bounds:
    """pdu_bytes: of one PDU once the association stands. object_bytes: since the last whole object.

    pdu_s: within which a PDU must be complete. addresses: from where; empty for anywhere.
    """

    pdu_bytes: int
    object_bytes: int
    pdu_s: float
    addresses: tuple[str, ...] = ()


def bounded_server(
    entity: Any, address: tuple[str, int], bounds: Bounds, cut: Callable[[], None], **options: Any
) -> Any:
    """A server of `entity` that listens already; `serve_forever` runs it. `cut` is called when a line is cut.

    Raises:
        OSError: the port is taken.
    """
    load_pynetdicom()
    from pynetdicom import transport

    class _Socket(transport.AssociationSocket):  # type: ignore[misc]
        heard = 0

        def recv(self, nr_bytes: int) -> bytearray:
            self.heard += nr_bytes
            most = bounds.pdu_bytes if self.assoc.is_established else _GREETING_BYTES
            if nr_bytes > most + _HEAD_BYTES or self.heard > bounds.object_bytes:
                cut()
                raise ConnectionAbortedError("more than is taken")
            return _exactly(self.socket, nr_bytes, bounds.pdu_s)

        def _shutdown_socket(self) -> None:
            held = self.socket
            super()._shutdown_socket()
            if held is not None:
                held.close()  # the library leaves it open where the other side was first

    class _Handler(transport.RequestHandler):  # type: ignore[misc]
        def _create_association(self) -> Any:
            association = super()._create_association()
            association.dul.event_queue.get_nowait()  # told by the socket that ours replaces, which will tell it again
            association.dul.socket = _Socket(association, client_socket=self.request)
            return association

    class _Server(transport.ThreadedAssociationServer):  # type: ignore[misc]
        def verify_request(self, request: Any, client_address: Any) -> bool:
            return not bounds.addresses or client_address[0] in bounds.addresses

        def shutdown(self) -> None:
            socketserver.BaseServer.shutdown(self)  # the library's own one expects to have started it
            for association in self.active_associations:
                association.abort()
            self.server_close()

    server = entity.make_server(address, server_class=_Server, request_handler=_Handler, **options)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
    return server


def object_taken(association: Any) -> None:
    """Begin to count anew."""
    association.dul.socket.heard = 0


def load_pynetdicom() -> Any:
    """The package, or an InputError that names the extra which brings it."""
    try:
        import pynetdicom
    except ModuleNotFoundError as error:
        raise InputError("C-STORE needs the package 'pynetdicom'", fix="pip install 'osler[pacs]'") from error
    return pynetdicom


def _exactly(line: socket.socket | None, size: int, timeout_s: float) -> bytearray:
    """Fewer only where the other side has closed the line. Raises TimeoutError where they do not come in time."""
    got = bytearray()
    until = time.monotonic() + timeout_s
    while line is not None and len(got) < size:
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        line.settimeout(left_s)
        part = line.recv(min(size - len(got), 1 << 16))
        if not part:
            break
        got += part
    return got

"""Sandbox: a process apart for work on bytes that a stranger sent, with limits on memory, time and what it writes.

It can make no file, and what it prints is dropped. Messages are JSON and bytes, never pickles: a process that a hostile
file has taken over can lie in its answer and do no more. After an overrun or a crash a new one stands in its place.

Not `serve.decode.pool`: that one is awaited and its processes can open no file at all; here work is called from threads
and may load models and codecs while it goes on.
"""

import contextlib
import importlib
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osler.core.errors import InputError

Work = Callable[[Any, list[bytes]], tuple[Any, list[bytes]]]
"""Takes a JSON value and blobs, gives a JSON value and blobs."""
_HEAD = struct.Struct(">QQ")
_CHUNK = 1 << 20
_MOST_TELLING = 64 << 20
_GRACE_S = 2.0


class SandboxError(Exception):
    """The work was not done. kind: `time`, `memory`, `crash`, or `error` with the name of the exception's class.

    There is no text of the exception: it may quote the file.
    """

    def __init__(self, kind: str, name: str = "") -> None:
        super().__init__(f"{kind} {name}".strip())
        self.kind, self.name = kind, name


@dataclass(frozen=True)
class Bounds:
    """What the process may use.

    timeout_s: for one piece of work. memory_mb: on top of what it holds when it is ready. start_s: to load.
    """

    timeout_s: float = 30.0
    memory_mb: int = 1024
    start_s: float = 60.0


class Sandbox:
    """One process that is started at the first use. Calls from several threads take turns.

    Args:
        target: `module:function`; the function takes `options` and returns the `Work`. It runs before limits are set,
            so it loads what the work needs.
        options: a JSON value.
        bounds: the limits.
    """

    def __init__(self, target: str, options: Any = None, bounds: Bounds | None = None) -> None:
        self._target, self._options, self._bounds = target, options, bounds or Bounds()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """Of the process; None where there is none."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it now, so that the first request does not wait.

        Raises:
            InputError: what it loads says what is missing.
            SandboxError: it cannot be loaded.
        """
        with self._lock:
            self._started()

    def run(self, value: Any, blobs: Sequence[bytes] = ()) -> tuple[Any, list[bytes]]:
        """What the work makes of a value and blobs.

        Raises:
            SandboxError: it took too long or too much memory, crashed, or raised.
        """
        with self._lock:
            if self._is_closed:
                raise SandboxError("closed")
            connection = self._started()
            try:
                connection.settimeout(self._bounds.timeout_s)
                deadline = time.monotonic() + self._bounds.timeout_s
                _send(connection, value, blobs)
                told, found = _receive(connection, deadline)
            except (TimeoutError, OSError, EOFError, ValueError) as error:
                self._replace()
                raise SandboxError("time" if isinstance(error, TimeoutError) else "crash") from None
            if told.get("kind") == "memory":
                self._replace()
            if told.get("kind"):
                raise SandboxError(str(told["kind"]), str(told.get("name", "")))
            return told["value"], found

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._is_closed = True
            self._end()

    def _replace(self) -> None:
        """A new process is made ready while the request that broke the old one is refused."""
        self._end()
        threading.Thread(target=self._try_start, daemon=True).start()

    def _try_start(self) -> None:
        with contextlib.suppress(SandboxError), self._lock:
            if not self._is_closed:
                self._started()

    def _started(self) -> socket.socket:
        if self._socket is not None and self._process is not None and self._process.poll() is None:
            return self._socket
        self._end()
        ours, theirs = socket.socketpair()
        # It imports what this process imports, from the same places, and sees nothing of its environment.
        program = f"import sys; sys.path[:] = {sys.path!r}; from osler.core.sandbox import main; main()"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", program, str(theirs.fileno())],
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        self._socket = ours
        try:
            ours.settimeout(self._bounds.start_s)
            bounds = [self._bounds.memory_mb, self._bounds.timeout_s]
            _send(ours, [self._target, self._options, bounds], ())
            told, _ = _receive(ours, time.monotonic() + self._bounds.start_s)
        except (OSError, EOFError, ValueError) as error:
            self._end()
            raise SandboxError("start") from error
        if told.get("kind"):
            self._end()
            if told.get("message"):
                raise InputError(str(told["message"]))
            raise SandboxError("start", str(told.get("name", "")))
        return ours

    def _end(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._socket = self._process = None


def _send(connection: socket.socket, value: Any, blobs: Sequence[bytes]) -> None:
    """The lengths, then the JSON, then the blobs."""
    head = json.dumps([value, [len(blob) for blob in blobs]]).encode()
    connection.sendall(_HEAD.pack(len(head), sum(len(blob) for blob in blobs)) + head)
    for blob in blobs:
        connection.sendall(blob)


def _receive(connection: socket.socket, deadline: float | None) -> tuple[Any, list[bytes]]:
    num_head, num_rest = _HEAD.unpack(_exactly(connection, _HEAD.size, deadline))
    if num_head > _MOST_TELLING:
        raise ValueError("too long a message")
    value, sizes = json.loads(bytes(_exactly(connection, num_head, deadline)))
    if sum(sizes) != num_rest or min(sizes, default=0) < 0:
        raise ValueError("sizes that do not add up")
    return value, [bytes(_exactly(connection, size, deadline)) for size in sizes]


def _exactly(connection: socket.socket, size: int, deadline: float | None) -> bytearray:
    got = bytearray()
    while len(got) < size:
        if deadline is not None:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            connection.settimeout(left_s)
        part = connection.recv(min(size - len(got), _CHUNK))
        if not part:
            raise EOFError
        got += part
    return got


def main() -> None:
    """The process's own loop: load, say so, then one piece of work after another until the line is cut."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    (target, options, (memory_mb, timeout_s)), _ = _receive(connection, None)
    module, _, function = target.partition(":")
    try:
        work: Work = getattr(importlib.import_module(module), function)(options)
    except Exception as error:  # noqa: BLE001 - told by its kind, as everything is
        message = str(error) if isinstance(error, InputError) else ""
        _send(connection, {"kind": "start", "name": type(error).__name__, "message": message}, ())
        return
    _limit(memory_mb)
    _send(connection, {}, ())
    while True:
        try:
            value, blobs = _receive(connection, None)
        except (EOFError, OSError):
            return
        # Should the other side die, nobody would count the seconds: the alarm's default is to end the process.
        signal.setitimer(signal.ITIMER_REAL, timeout_s + _GRACE_S)
        answer, found = _answer(work, value, blobs)
        with contextlib.suppress(OSError):
            _send(connection, answer, found)
        signal.setitimer(signal.ITIMER_REAL, 0)
        del value, blobs, answer, found


def _answer(work: Work, value: Any, blobs: list[bytes]) -> tuple[Any, list[bytes]]:
    try:
        made, found = work(value, blobs)
    except MemoryError:
        return {"kind": "memory"}, []
    except Exception as error:  # noqa: BLE001 - its text may quote the file
        return {"kind": "error", "name": type(error).__name__}, []
    return {"value": made}, found


def _limit(memory_mb: int) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    held = pages * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (held + (memory_mb << 20), held + (memory_mb << 20)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

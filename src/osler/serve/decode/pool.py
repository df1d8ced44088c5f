"""The processes that decode, and their keeper: one job at a time each, killed when late, replaced when dead.

Not `core.sandbox`: these are awaited, so that a client who leaves ends the job at once, and can open no file or socket,
which the readers of studies need.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from typing import Any

from osler.serve.engine import Shown, Tiling
from osler.serve.refusal import Refusal

_START_TIMEOUT_S = 60.0
_JOBS_A_LIFE = 1000
_LINE_BYTES = 1 << 20
_REASONS = {
    "not_an_image": (422, "is no image that is read here: PNG, JPEG, WebP, GIF, BMP or TIFF with one frame"),
    "damaged_image": (422, "is damaged, or holds several frames"),
    "too_many_bits": (422, "has more than 8 bits a channel; send the study as DICOM, so that its window is known"),
    "too_many_pixels": (413, "takes the request beyond the pixels that one may have"),
    "decoder_late": (422, "took too long to decode"),
    "decoder_died": (422, "could not be decoded"),
}


class Decoders:
    """Decodes the images of requests in other processes.

    Args:
        num_workers: processes; each is started when first needed.
        max_pixels: of all images of a request together.
        timeout_s: for each image.
    """

    def __init__(self, *, num_workers: int, max_pixels: int, timeout_s: float) -> None:
        self._num_workers, self._max_pixels, self._timeout_s = num_workers, max_pixels, timeout_s
        self._idle: asyncio.LifoQueue[_Process | None] = asyncio.LifoQueue()
        self._all: set[_Process] = set()
        self.num_replaced = 0

    async def show(self, files: Sequence[bytes], tiling: Tiling | None) -> tuple[Shown, ...]:
        """The pictures in files, in order.

        Raises:
            Refusal: 422 for a file that is no readable image, 413 for too many pixels; the message tells its number.
        """
        if not files:
            return ()
        async with self._process() as process:
            try:
                async with asyncio.timeout(self._timeout_s * len(files)):
                    about, pieces = await process.work(files, asdict(tiling) if tiling else None)
            except TimeoutError as error:
                raise _refusal("decoder_late", None) from error
            except (EOFError, OSError, ValueError) as error:
                raise _refusal("decoder_died", None) from error
        if "code" in about:
            raise _refusal(about["code"], about["number"])
        return tuple(Shown(data=piece, **told) for told, piece in zip(about["pictures"], pieces, strict=True))

    async def start(self) -> None:
        """Take jobs."""
        self._idle = asyncio.LifoQueue()
        for _ in range(self._num_workers):
            self._idle.put_nowait(None)

    async def warm_up(self) -> None:
        """Start one process, so that the first request does not wait for it."""
        async with self._process():
            return

    async def close(self) -> None:
        """End all processes."""
        for process in list(self._all):
            await self._end(process)

    @asynccontextmanager
    async def _process(self) -> Any:
        """A process of one's own; one that did not end its job in good order is replaced."""
        process = await self._idle.get()
        is_whole = False
        try:
            if process is None:
                process = await _Process.start(self._max_pixels)
                self._all.add(process)
            yield process
            is_whole = True
        finally:
            if process is not None and (process.is_busy or process.num_jobs >= _JOBS_A_LIFE):
                self.num_replaced += not is_whole
                await self._end(process)
                process = None
            self._idle.put_nowait(process)

    async def _end(self, process: "_Process") -> None:
        self._all.discard(process)
        await process.end()


class _Process:
    """One worker. `is_busy` from the moment a job is sent until its whole answer is there."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.is_busy, self.num_jobs = False, 0

    @classmethod
    async def start(cls, max_pixels: int) -> "_Process":
        # The worker imports what this process imports, from the same places, and sees nothing of its environment.
        program = f"import sys; sys.path[:] = {sys.path!r}; from osler.serve.decode.worker import main; main()"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", program),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}, limit=_LINE_BYTES, start_new_session=True,
        )  # fmt: skip
        started = cls(process)
        started._stdin.write(json.dumps({"max_pixels": max_pixels}).encode() + b"\n")
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                await started.work([], None)
        except (TimeoutError, EOFError, OSError, ValueError) as error:
            await started.end()
            raise Refusal(503, "images cannot be decoded now", code="decoder_unavailable", retry_after_s=5) from error
        return started

    async def work(self, files: Sequence[bytes], tiling: dict[str, Any] | None) -> tuple[dict[str, Any], list[bytes]]:
        """Send a job and read its answer. Raises EOFError or OSError where the process died."""
        self.is_busy, self.num_jobs = True, self.num_jobs + 1
        self._stdin.write(json.dumps({"sizes": [len(data) for data in files], "tiling": tiling}).encode() + b"\n")
        for data in files:
            self._stdin.write(data)
        await self._stdin.drain()
        line = await self._stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the process ended")
        about = json.loads(line)
        pieces = [await self._stdout.readexactly(size) for size in about.pop("sizes")]
        self.is_busy = False
        return about, pieces

    async def end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._stdin.close()

    @property
    def _stdin(self) -> asyncio.StreamWriter:
        return self._process.stdin  # type: ignore[return-value]

    @property
    def _stdout(self) -> asyncio.StreamReader:
        return self._process.stdout  # type: ignore[return-value]


def _refusal(code: str, number: int | None) -> Refusal:
    status, words = _REASONS[code]
    which = "an image" if number is None else f"image {number + 1}"
    return Refusal(status, f"{which} {words}", code=code, param="messages")

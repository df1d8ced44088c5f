"""Service: uploads through sandboxes, and what is kept of them. Routes and receivers stand above it."""

import base64
import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from osler.core.errors import InputError
from osler.core.sandbox import Bounds, Sandbox, SandboxError
from osler.serve.refusal import Refusal
from osler.serve.studies.keep import Keep
from osler.serve.studies.work import Ask, Rules, options_of

_TARGET = "osler.serve.studies.work:start"
_WAIT_S = 10.0
_RETRY_S = 5.0
_BROKEN = {
    "time": ("the upload took too long to read", "study_too_slow"),
    "memory": ("the upload needs too much memory", "study_too_large"),
}


@dataclass(frozen=True)
class Taken:
    """What became of an upload.

    answer: studies with their series and images, and `refused` with a reason for each part that was not taken; a blob
    is named by its number. blobs: PNG files. status: of an HTTP answer.
    """

    answer: dict[str, Any]
    blobs: list[bytes]
    status: int


class Studies:
    """Takes studies in.

    Args:
        rules: how they are cleaned.
        keep: where clean ones stay; None keeps nothing beyond the request.
        bounds: of one upload.
        num_sandboxes: how many uploads are read at a time.
        target: what a sandbox loads; tests bring their own.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        keep: Keep | None = None,
        bounds: Bounds | None = None,
        num_sandboxes: int = 1,
        target: str = _TARGET,
    ) -> None:
        self.keep = keep
        self._boxes = [Sandbox(target, options_of(rules), bounds or Bounds(120.0, 2048)) for _ in range(num_sandboxes)]
        self._free: queue.LifoQueue[Sandbox] = queue.LifoQueue()
        for box in self._boxes:
            self._free.put(box)

    def open(self) -> None:
        """Start the sandboxes and the folder. Raises InputError where a package or a right is missing."""
        if self.keep is not None:
            self.keep.open()
        for box in self._boxes:
            try:
                box.start()
            except SandboxError as error:
                raise InputError(f"the reader of studies cannot be started: {error.name or error.kind}") from error

    def close(self) -> None:
        """End the sandboxes."""
        for box in self._boxes:
            box.close()

    def take(self, body: bytes, content_type: str, ask: Ask) -> Taken:
        """Read an upload, and keep clean files of it where this service keeps any. Blocks; call it from a thread.

        Raises:
            Refusal: 422 where it breaks what reads it; 503 where all sandboxes are busy or the folder is full.
        """
        return self._take(body, content_type, Ask(**{**asdict(ask), "keep": self.keep is not None}))

    def again(self, study: str, ask: Ask) -> Taken | None:
        """The pictures of a kept study; None where it is not kept."""
        files = self.keep.files(study) if self.keep is not None else []
        if not files:
            return None
        body, content_type = related(files)
        found = self._run(body, content_type, Ask(**{**asdict(ask), "keep": False}), is_clean=True)
        for one in found.answer["studies"]:
            one["study"], one["kept"] = study, True
        return found

    def _take(self, body: bytes, content_type: str, ask: Ask) -> Taken:
        found = self._run(body, content_type, ask)
        if self.keep is None:
            return found
        for study in found.answer["studies"]:
            files = [file for series in study["series"] for file in series.pop("files", [])]
            try:
                self.keep.put(study["study"], [found.blobs[file["blob"]] for file in files])
            except InputError as error:
                raise Refusal(503, "kept studies fill their folder", code="studies_full", retry_after_s=60) from error
            study["kept"] = True
        return found

    def _run(self, body: bytes, content_type: str, ask: Ask, *, is_clean: bool = False) -> Taken:
        with self._box() as box:
            try:
                answer, blobs = box.run({"type": content_type, "ask": asdict(ask), "is_clean": is_clean}, [body])
            except SandboxError as error:
                text, code = _BROKEN.get(error.kind, ("the upload broke its reader", "study_unreadable"))
                raise Refusal(422, text, code=code) from error
        return Taken(answer, blobs, int(answer.pop("status", 200)))

    @contextmanager
    def _box(self) -> Iterator[Sandbox]:
        try:
            box = self._free.get(timeout=_WAIT_S)
        except queue.Empty as error:
            busy = "every reader of studies is busy"
            raise Refusal(503, busy, code="studies_busy", retry_after_s=_RETRY_S) from error
        try:
            yield box
        finally:
            self._free.put(box)


def with_urls(taken: Taken) -> dict[str, Any]:
    """The answer with each picture as a data URI, as the chat takes it."""
    for study in taken.answer["studies"]:
        for series in study["series"]:
            series.pop("files", None)
            for image in series["images"]:
                for holder in (image, image.get("values", {})):
                    if "blob" in holder:
                        packed = base64.b64encode(taken.blobs[holder.pop("blob")]).decode("ascii")
                        holder["url"] = f"data:image/png;base64,{packed}"
    return taken.answer


def related(files: Sequence[bytes]) -> tuple[bytes, str]:
    """DICOM files as one `multipart/related` body, and its media type."""
    mark = "osler-part"
    while any(mark.encode() in data for data in files):
        mark += "-"
    parts = [f"--{mark}\r\nContent-Type: application/dicom\r\n\r\n".encode() + data + b"\r\n" for data in files]
    return b"".join(
        [*parts, f"--{mark}--\r\n".encode()]
    ), f'multipart/related; type="application/dicom"; boundary={mark}'

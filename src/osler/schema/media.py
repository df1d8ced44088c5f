"""MediaRef: an image, volume or slide by its name, with its geometry and intensity units."""

from typing import Literal

from pydantic import PositiveInt

from osler.schema.base import Record


class Window(Record):
    """A linear intensity window in stored units: values from `center - width/2` to `center + width/2` are shown."""

    center: float
    width: float


class MaskRef(Record):
    """A drawn truth of the same size as its image: an 8-bit PNG in which bit k is set where `labels[k]` is."""

    path: str
    labels: tuple[str, ...]


class MediaRef(Record):
    """One image, volume or slide.

    `path` is a path below the dataset's folder, or the name of a tar member once stored. `bits` is the
    number of bits stored per channel; more than 8 needs a `window` before it can be shown. `view` and
    `time` say how the image was taken and which of several studies it shows (`current`, `prior`).
    """

    path: str
    kind: Literal["image", "volume", "slide"] = "image"
    width: PositiveInt | None = None
    height: PositiveInt | None = None
    bits: int = 8
    window: Window | None = None
    view: str = ""
    time: str = ""
    sha256: str = ""
    mask: MaskRef | None = None

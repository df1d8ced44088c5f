"""MediaRef: an image, volume or slide by its name, with its geometry and intensity units."""

from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from osler.schema.base import Record

Plane = Literal["axial", "coronal", "sagittal"]


class Window(Record):
    """A linear intensity window in stored units: values from `center - width/2` to `center + width/2` are shown."""

    center: float
    width: float


class MaskRef(Record):
    """A drawn truth of the same size as its image: an 8-bit PNG in which bit k is set where `labels[k]` is."""

    path: str
    labels: tuple[str, ...]


class VolumeSlice(Record):
    """Where an image was cut out of a volume.

    path, sha256: the volume; of a DICOM series, its folder and the hash over the hashes of its files.
    index, num_slices: which slice of how many in `plane`, from 0, counted upwards, forwards or to the right.
    spacing_mm: distance of the image's rows, of its columns, and of neighbouring slices of the volume.
    orientation: the sides of the patient to which columns (rightwards), rows (downwards) and slice numbers run: "LPS".
    position_mm: the centre of the image's top left pixel in RAS+ (x to the right, y to the front, z to the head).
    slope, intercept, units: a stored value times slope plus intercept is the scan's own value ("HU", or "" for none).
    """

    path: str
    sha256: str
    plane: Plane
    index: NonNegativeInt
    num_slices: PositiveInt
    spacing_mm: tuple[float, float, float]
    orientation: str
    position_mm: tuple[float, float, float]
    slope: float = 1.0
    intercept: float = 0.0
    units: str = ""


class MediaRef(Record):
    """One image, volume or slide.

    `path` is a path below the dataset's folder, or the name of a tar member once stored. `bits` is the
    number of bits stored per channel; more than 8 needs a `window` before it can be shown. `view` and
    `time` say how the image was taken and which of several studies it shows (`current`, `prior`). The mask of
    a volume is a volume of label numbers. `volume_slice` is set on an image that was cut out of a volume.
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
    volume_slice: VolumeSlice | None = None

"""Planes: a scan's instances made one volume and cut anew, axial, coronal or sagittal."""

import io
from collections.abc import Sequence

from osler.media.dicom import load_pydicom, named_damage
from osler.media.image import image_facts
from osler.media.series import series_volume
from osler.media.slices import SliceRule, cut_slices
from osler.media.volume import to_canonical
from osler.schema.media import Plane, Window

_PERCENTILES = (0.5, 99.5)


def reformatted(
    files: Sequence[bytes], plane: Plane, count: int, window: Window | None
) -> list[tuple[int, bytes, int, int]]:
    """Slices at even distances: number, PNG of 8 bits with square pixels, height, width.

    Args:
        files: clean DICOM files of one series.
        plane: in which it is cut.
        count: how many slices.
        window: in the scan's values; None for the middle 99 hundredths of them.

    Raises:
        InputError: the instances make no volume, as `series_volume`.
    """
    with named_damage("a clean file"):
        datasets = [(f"instance {n}", load_pydicom().dcmread(io.BytesIO(data))) for n, data in enumerate(files, 1)]
    volume = to_canonical(series_volume(datasets, "the series"))
    rule = SliceRule(
        plane=plane, rule="uniform", count=count, window=window or _PERCENTILES, bits=8, square_pixels=True
    )
    cut = []
    for image in cut_slices(volume, rule, path="series", sha256=""):
        facts = image_facts(image.png)
        cut.append((image.place.index, image.png, facts.height, facts.width))
    return cut

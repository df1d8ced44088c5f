"""Pictures: what operators share that drop a record by the pixels of its images."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from osler.core.errors import InputError
from osler.curate.drops import drop
from osler.curate.operator import Kept, keep_where


@dataclass(frozen=True)
class Fault:
    """Why a picture is not wanted, in words whose part before the first colon is the kind, and what was measured."""

    reason: str
    score: float


Judge = Callable[[bytes], Fault | None]


def keep_pictures(table: pa.Table, rule: str, judge: Judge) -> Kept:
    """The records (`operator.RECORDS`) of which `judge` finds fault with no image.

    An image that cannot be read cannot be judged, so its record is dropped with the reason; a missing file is left to
    drop_missing_image.

    Args:
        table: the records.
        rule: the operator's name.
        judge: the bytes of an image file to the first fault found, None where it is good.
    """
    columns = (table[name].to_pylist() for name in ("key", "media_paths", "media"))
    return keep_where(table, [_drop(rule, judge, *row) for row in zip(*columns, strict=True)])


def below(what: str, value: float, limit: float) -> Fault | None:
    """The fault of a value below its limit: `sharpness too low: 12.3 below 30`."""
    return Fault(f"{what} too low: {value:.4g} below {limit:g}", value) if value < limit else None


def above(what: str, value: float, limit: float) -> Fault | None:
    """The fault of a value above its limit: `aspect ratio too high: 7.5 above 5`."""
    return Fault(f"{what} too high: {value:.4g} above {limit:g}", value) if value > limit else None


def _drop(rule: str, judge: Judge, key: str, paths: list[str], media: list[bytes | None]) -> dict[str, object] | None:
    for path, data in zip(paths, media, strict=True):
        if data is None:
            continue
        try:
            fault = judge(data)
        except InputError as error:
            return drop(key, rule, f"image unreadable: {path}: {error}")
        if fault is not None:
            return drop(key, rule, f"{fault.reason} ({path})", score=fault.score)
    return None

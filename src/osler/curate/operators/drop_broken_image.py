"""Drop records of which an image cannot be decoded to its last pixel. A missing file is left to drop_missing_image."""

import pyarrow as pa

from osler.core.errors import InputError
from osler.curate.drops import drop
from osler.curate.operator import Kept, NoOptions, Operator, keep_where
from osler.media.image import check_image


def drop_broken_image(table: pa.Table) -> Kept:
    """Keep records whose images decode."""
    columns = (table[name].to_pylist() for name in ("key", "media_paths", "media"))
    return keep_where(table, [_drop(*row) for row in zip(*columns, strict=True)])


def _drop(key: str, paths: list[str], media: list[bytes | None]) -> dict[str, object] | None:
    for path, data in zip(paths, media, strict=True):
        if data is None:
            continue
        try:
            check_image(data)
        except InputError as error:
            return drop(key, "drop_broken_image", f"image broken: {path}: {error}")
    return None


OPERATOR = Operator(config=NoOptions, build=lambda config: drop_broken_image, level="record")

"""Drop records of which an image file is not there. Without this operator a missing file ends the run."""

import pyarrow as pa

from osler.curate.drops import drop
from osler.curate.operator import Kept, NoOptions, Operator, keep_where


def drop_missing_image(table: pa.Table) -> Kept:
    """Keep records whose files are all there."""
    drops = []
    for key, paths, media in zip(*(table[c].to_pylist() for c in ("key", "media_paths", "media")), strict=True):
        missing = [path for path, data in zip(paths, media, strict=True) if data is None]
        drops.append(drop(key, "drop_missing_image", f"image missing: {', '.join(missing)}") if missing else None)
    return keep_where(table, drops)


OPERATOR = Operator(config=NoOptions, build=lambda config: drop_missing_image, level="record")

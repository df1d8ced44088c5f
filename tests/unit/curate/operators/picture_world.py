"""Pictures that are good, spoilt or broken, and tables of records that hold them."""

import io
import struct
import zlib

import numpy as np
import pyarrow as pa
from PIL import Image

from osler.core.catalog import OPERATORS
from osler.core.rng import generator
from osler.curate.operator import RECORDS, Kept


def scene(width: int = 256, height: int = 256, seed: int = 0) -> Image.Image:
    """Soft blobs under fine grain, about as a scan looks."""
    random = generator(seed, "scene")
    coarse = Image.fromarray(random.integers(20, 236, (8, 8)).astype(np.uint8))
    soft = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(np.float32)
    return Image.fromarray((soft + random.normal(0, 8, soft.shape)).clip(0, 255).astype(np.uint8))


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A PNG whose header promises 2.5 thousand million pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


BROKEN = {
    "zero bytes": b"",
    "text": b"this is no picture",
    "cut short": jpeg(scene(), 90)[:2000],
    "header only": png(scene())[:40],
    "damaged": png(scene())[:3000] + b"\0" * 500,
    "bomb": bomb(),
}


def record_table(*media: bytes | None) -> pa.Table:
    rows = [
        {
            "row": n,
            "key": f"k{n}",
            "dataset": "toy",
            "split": "train",
            "sample_ids": [f"toy/train/{n}"],
            "media_paths": [f"{n}.png"],
            "media": [data],
        }
        for n, data in enumerate(media)
    ]
    return pa.Table.from_pylist(rows, schema=RECORDS)


def applied(name: str, *media: bytes | None, **options: object) -> Kept:
    """What an operator of the catalogue makes of records with one picture each."""
    operator = OPERATORS.load(name)
    return operator.build(operator.config.parse(options, f"operator {name}"))(record_table(*media))


def reasons(kept: Kept) -> list[str]:
    return kept.drops["reason"].to_pylist()

"""Pictures into tiles: this code against GotOcr2ImageProcessorPil of transformers, InternVL's own tiling.

Equal on both sides: the picture, the rule, tiles of 336 px, at most 12 and a thumbnail, one process, one thread, and
the tiles' pixels, which are compared before anything is timed: equal values of 0 to 255, and equal normalised values
to 1e-6. The peer ends with normalised float32; this code ends with uint8, because the model normalises on its device.
The rows "with normalising" add that step on the CPU to this code, as if there were no device.

Pictures are drawn: gray as a radiograph is, stored in gray or in colour with three equal channels, and in true colour.

    python benchmarks/tiling.py [--rounds 7]
"""

import argparse
import io
import os
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import PIL
import torch
import transformers
from PIL import Image
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

from osler.core.rng import generator
from osler.media.image import open_picture
from osler.model.compose import normalized
from osler.model.config import OslerConfig
from osler.model.processor import OslerImageProcessor

SIZES = ((1024, 1024), (2048, 2500))
KINDS = ("gray", "gray in colour", "colour")
TILE_PX, MAX_TILES = 336, 12


def main() -> None:
    rounds = _arguments().rounds
    torch.set_num_threads(1)
    peer = GotOcr2ImageProcessorPil(
        size={"height": TILE_PX, "width": TILE_PX}, crop_to_patches=True, max_patches=MAX_TILES
    )
    ours = OslerImageProcessor(tile_px=TILE_PX, max_tiles=MAX_TILES)
    config = OslerConfig()
    print(
        f"transformers {transformers.__version__}, Pillow {PIL.__version__}, Python {platform.python_version()}, "
        f"one thread of {os.cpu_count()} cores; median ms of processor time of {rounds} rounds (interquartile range)"
    )
    print(f"{'picture':<28}{'step':<26}{'peer':>16}{'osler':>16}{'ratio':>8}")
    for width, height in SIZES:
        for kind in KINDS:
            picture = drawn(width, height, kind)
            check(picture, peer, ours, config)
            pairs = {"tiles": (lambda p=picture: theirs(peer, p), lambda p=picture: ours.tiles(p))}
            if kind == "colour":
                pairs["tiles, with normalising"] = (
                    pairs["tiles"][0],
                    lambda p=picture: normalized(ours.tiles(p), config),
                )
            for name in ("jpeg", "png"):
                data = encoded(picture, name)
                pairs[f"{name} decoded, tiles"] = (
                    lambda d=data: theirs(peer, Image.open(io.BytesIO(d))),
                    lambda d=data: ours.tiles(open_picture(d)),
                )
            for step, (their_side, our_side) in pairs.items():
                report(f"{width} x {height} {kind}", step, timed(their_side, our_side, rounds))


def drawn(width: int, height: int, kind: str) -> Image.Image:
    """Soft blobs under fine noise: it compresses like a photograph, not like a flat drawing."""
    random = generator(0, "tiling", width, height)
    coarse = Image.fromarray(random.integers(0, 256, (height // 64, width // 64, 3)).astype(np.uint8))
    soft = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(np.float32)
    pixels = (soft + random.normal(0, 4, (height, width, 1))).clip(0, 255).astype(np.uint8)
    if kind == "colour":
        return Image.fromarray(pixels)
    gray = Image.fromarray(np.ascontiguousarray(pixels[..., 0]))
    return gray if kind == "gray" else gray.convert("RGB")


def encoded(picture: Image.Image, name: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, **({"format": "JPEG", "quality": 90} if name == "jpeg" else {"format": "PNG"}))
    return out.getvalue()


def theirs(peer: GotOcr2ImageProcessorPil, picture: Image.Image) -> Any:
    """The peer takes one picture of a batch at a time; it is told to make RGB, as it does by default."""
    return peer(images=[picture], return_tensors="pt")["pixel_values"]


def check(picture: Image.Image, peer: GotOcr2ImageProcessorPil, ours: OslerImageProcessor, config: OslerConfig) -> None:
    """Stop unless both sides give the same pixels."""
    raw = peer(images=[picture], do_rescale=False, do_normalize=False, return_tensors="pt")["pixel_values"]
    tiles = ours.tiles(picture)
    if tiles.dtype != torch.uint8 or not torch.equal(raw, tiles):
        raise SystemExit("the pixels differ")
    torch.testing.assert_close(normalized(tiles, config), theirs(peer, picture), atol=1e-6, rtol=1e-6)


def timed(their_side: Callable[[], Any], our_side: Callable[[], Any], rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of processor time of each round, the two sides in turn: a busy machine disturbs them least."""
    theirs_ms: list[float] = []
    ours_ms: list[float] = []
    for number in range(rounds + 1):
        for side, into in ((their_side, theirs_ms), (our_side, ours_ms)):
            start = time.process_time()
            side()
            if number:  # round 0 warms up
                into.append(1e3 * (time.process_time() - start))
    return theirs_ms, ours_ms


def report(picture: str, step: str, times: tuple[list[float], list[float]]) -> None:
    ratio = statistics.median(times[0]) / statistics.median(times[1])
    print(f"{picture:<28}{step:<26}{shown(times[0]):>16}{shown(times[1]):>16}{ratio:>8.2f}", flush=True)


def shown(values: list[float]) -> str:
    first, _, third = statistics.quantiles(values, n=4)
    return f"{statistics.median(values):.1f} ({third - first:.1f})"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time tiling against transformers.")
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()

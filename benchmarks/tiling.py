"""Pictures into tiles: this code against GotOcr2ImageProcessorPil of transformers, InternVL's own tiling.

Equal on both sides: the picture, the rule, tiles of 336 px, at most 12 and a thumbnail, one process, and the tiles'
pixels, which are compared before anything is timed: equal values of 0 to 255 whatever the number of threads, and equal
normalised values to 1e-6. The peer ends with normalised float32; this code ends with uint8, as the model normalises
on its device. The rows "with normalising" add that step on the CPU to this code, as if there were no device.

The peer is one process as well and may use torch's threads on all cores; its resampling is one thread of PIL. This code
is timed twice: with one thread, and with the default of up to two threads in the same process, which needs two free
cores. Wall time gives the ratios; processor time stands beside it, because threads save the one and not the other.

Pictures are drawn: gray as a radiograph is, stored in gray or in colour with three equal channels, and in true colour.

    python benchmarks/tiling.py [--rounds 7] [--kinds colour]
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
from osler.media.tiles import default_threads
from osler.model.compose import normalized
from osler.model.config import OslerConfig
from osler.model.processor import OslerImageProcessor

SIZES = ((1024, 1024), (2048, 2500))
KINDS = ("gray", "gray in colour", "colour")
TILE_PX, MAX_TILES = 336, 12
BATCH = 4

Side = Callable[[], Any]


def main() -> None:
    arguments = _arguments()
    rounds = arguments.rounds
    cores = len(os.sched_getaffinity(0))
    peer = GotOcr2ImageProcessorPil(
        size={"height": TILE_PX, "width": TILE_PX}, crop_to_patches=True, max_patches=MAX_TILES
    )
    ours = OslerImageProcessor(tile_px=TILE_PX, max_tiles=MAX_TILES)
    print(
        f"transformers {transformers.__version__}, Pillow {PIL.__version__}, Python {platform.python_version()}, "
        f"{cores} cores; median ms of wall time of {rounds} rounds (interquartile range) / median ms of processor time"
    )
    names = ("peer", "osler, 1 thread", f"osler, {default_threads()} threads")
    print(f"{'picture':<28}{'step':<28}{names[0]:>22}{names[1]:>22}{'ratio':>7}{names[2]:>22}{'ratio':>7}")
    for width, height in SIZES:
        for kind in arguments.kinds:
            picture = drawn(width, height, kind)
            check(picture, peer, ours)
            for step, (their_side, our_side) in steps(picture, kind, peer, ours).items():
                sides = [
                    with_torch_threads(cores, their_side),
                    with_torch_threads(1, lambda side=our_side: side(1)),
                    with_torch_threads(cores, lambda side=our_side: side(default_threads())),
                ]
                report(f"{width} x {height} {kind}", step, timed(sides, rounds))


def steps(
    picture: Image.Image, kind: str, peer: GotOcr2ImageProcessorPil, ours: OslerImageProcessor
) -> dict[str, tuple[Side, Callable[[int], Any]]]:
    """What is timed: the peer's side, and this code's, which takes the number of threads."""
    pairs: dict[str, tuple[Side, Callable[[int], Any]]] = {
        "tiles": (lambda: theirs(peer, [picture]), lambda threads: ours.tiles(picture, threads=threads))
    }
    if kind == "colour":
        config = OslerConfig()
        pairs["tiles, with normalising"] = (
            lambda: theirs(peer, [picture]),
            lambda threads: normalized(ours.tiles(picture, threads=threads), config),
        )
    for name in ("jpeg", "png"):
        data = encoded(picture, name)
        for number in (1, BATCH):
            of_several = f"{number} x " if number > 1 else ""
            pairs[f"{of_several}{name} decoded, tiles"] = (
                lambda files=(data,) * number: theirs(peer, [Image.open(io.BytesIO(file)) for file in files]),
                lambda threads, files=((data, None),) * number: ours.read_tiles(files, threads=threads),
            )
    return pairs


def with_torch_threads(threads: int, side: Side) -> Side:
    """The same with as many threads in torch's own operations."""

    def run() -> Any:
        torch.set_num_threads(threads)
        return side()

    return run


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


def theirs(peer: GotOcr2ImageProcessorPil, pictures: list[Image.Image]) -> Any:
    """Several pictures come in one call; the peer makes RGB, as it does by default."""
    return peer(images=pictures, return_tensors="pt")["pixel_values"]


def check(picture: Image.Image, peer: GotOcr2ImageProcessorPil, ours: OslerImageProcessor) -> None:
    """Stop unless both sides give the same pixels, with one thread and with several."""
    raw = peer(images=[picture], do_rescale=False, do_normalize=False, return_tensors="pt")["pixel_values"]
    for threads in (1, 2, 3):
        tiles = ours.tiles(picture, threads=threads)
        if tiles.dtype != torch.uint8 or not torch.equal(raw, tiles):
            raise SystemExit("the pixels differ")
    torch.testing.assert_close(normalized(tiles, OslerConfig()), theirs(peer, [picture]), atol=1e-6, rtol=1e-6)


def timed(sides: list[Side], rounds: int) -> list[list[tuple[float, float]]]:
    """Milliseconds of wall and processor time per side and round; the sides take turns, which a busy machine asks."""
    times: list[list[tuple[float, float]]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for side, into in zip(sides, times, strict=True):
            start, start_cpu = time.perf_counter(), time.process_time()
            side()
            if number:  # round 0 warms up
                into.append((1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - start_cpu)))
    return times


def report(picture: str, step: str, times: list[list[tuple[float, float]]]) -> None:
    walls = [statistics.median(wall for wall, _ in side) for side in times]
    line = f"{picture:<28}{step:<28}{shown(times[0]):>22}"
    for side, wall in zip(times[1:], walls[1:], strict=True):
        line += f"{shown(side):>22}{walls[0] / wall:>7.2f}"
    print(line, flush=True)


def shown(side: list[tuple[float, float]]) -> str:
    walls = [wall for wall, _ in side]
    first, _, third = statistics.quantiles(walls, n=4)
    return f"{statistics.median(walls):.1f} ({third - first:.1f}) / {statistics.median(cpu for _, cpu in side):.1f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time tiling against transformers.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    return parser.parse_args()


if __name__ == "__main__":
    main()

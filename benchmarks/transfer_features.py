"""Feature extraction as `osler transfer` does it, against the bare forward loop of the same tower on ready pixels.

The peer holds its pixels in memory, normalised, and calls the tower; this side reads, decodes and resizes files ahead
of it in threads, normalises, calls the tower and keeps what comes out. Both take turns on the same images, in batches
of the same size; each turn's ratio is printed, and their median. Drawn JPEG pictures of 512 x 400 px.

    OMP_NUM_THREADS=1 python benchmarks/transfer_features.py [--encoder vit] [--folder F] [--num 96] [--rounds 3]
        [--threads 2] [--device cpu]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from osler.core.files import sha256_bytes
from osler.transfer.features import EncoderSpec, Job, normalised, opened, run_job
from osler.transfer.image_set import Item
from osler.transfer.resize import Resize


def drawn(folder: Path, num: int) -> list[Item]:
    random = np.random.default_rng(0)
    items = []
    for number in range(num):
        coarse = Image.fromarray(random.integers(0, 255, size=(50, 64, 3), dtype=np.uint8))
        path = folder / f"{number}.jpg"
        coarse.resize((512, 400), Image.Resampling.BICUBIC).save(path, quality=90)
        items.append(Item(str(number), "", "", (0,), sha256_bytes(path.read_bytes()), str(folder), path.name))
    return items


def bare(tower: torch.nn.Module, pixels: torch.Tensor, batch: int) -> float:
    start = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, len(pixels), batch):
            tower(pixels[first : first + batch])
    if pixels.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--encoder", default="vit")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--num", type=int, default=96)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    spec = EncoderSpec(arguments.encoder, arguments.folder, 0, arguments.device)
    loaded = opened(spec)
    resize = Resize("letterbox", "bicubic", 0, loaded.image_size, "full_range")
    with tempfile.TemporaryDirectory() as name:
        items = drawn(Path(name), arguments.num)
        mean, std = (torch.tensor(each, device=arguments.device).view(1, 3, 1, 1) for each in (loaded.mean, loaded.std))
        ready = torch.from_numpy(np.stack([resize(item.read()) for item in items])).to(arguments.device)
        pixels = normalised(ready, mean, std)
        bare(loaded.tower, pixels[: arguments.batch], arguments.batch)
        ratios = []
        for turn in range(arguments.rounds):
            cache = Path(name) / f"cache-{turn}"
            job = Job(spec, resize, "float32", tuple(items), cache, arguments.batch, arguments.threads)
            peer = bare(loaded.tower, pixels, arguments.batch)
            start = time.perf_counter()
            run_job(job)
            seconds = time.perf_counter() - start
            ratios.append(peer / seconds)
            print(
                f"bare {len(items) / peer:.1f} images/s, extraction {len(items) / seconds:.1f}, ratio {ratios[-1]:.3f}"
            )
    print(f"median ratio {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()

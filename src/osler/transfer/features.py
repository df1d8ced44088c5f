"""Features of frozen encoders: extracted once, kept by image and weights, on whatever machines there are.

A job is a slice of the images in the order of their hashes, so that the ranks of an array agree on who does what
without a word; its features are one file, written whole or not at all.

Axes: B images, C H W pixels, D features.
"""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.errors import InputError
from osler.core.files import private_folder, publish_once, sha256_json
from osler.core.log import Log
from osler.curate.executor import Executor, work_on
from osler.transfer.image_set import Item
from osler.transfer.pictures import batches
from osler.transfer.resize import Shows

JOB_IMAGES = 2048


@dataclass(frozen=True)
class EncoderSpec:
    """Which encoder: its entry in the catalogue, its folder, the seed of random weights, and where it runs."""

    encoder: str
    folder: Path | None
    seed: int
    device: str


@dataclass(frozen=True)
class Job:
    """The images of one slice, and where their features go."""

    spec: EncoderSpec
    resize: Shows
    dtype: str
    items: tuple[Item, ...]
    folder: Path
    batch_size: int
    num_threads: int


class FeatureCache:
    """Features on disk, by image. Every file of the folder holds `keys` and as many rows of `features`.

    Args:
        folder: of all encoders. identity: what the features depend on besides the image; it names the folder's part.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = Path(folder) / identity
        self._rows: dict[str, np.ndarray] = {}
        self._read: set[str] = set()

    def refresh(self) -> None:
        """Read the files that came since the last time. Raises InputError where one is damaged."""
        for path in sorted(self.folder.glob("*.npz")):
            if path.name in self._read:
                continue
            try:
                with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                    keys, features = held["keys"], held["features"]
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
                raise InputError(f"{path} is no file of features: {error}", fix="Remove it and run again.") from error
            self._rows.update(zip((str(key) for key in keys), features, strict=True))
            self._read.add(path.name)

    def lacks(self, items: Sequence[Item]) -> list[Item]:
        """The items without features, each picture once."""
        return list({item.key: item for item in items if item.key not in self._rows}.values())

    def features(self, items: Sequence[Item]) -> np.ndarray:
        """float32 [n, D]. Every item must be there."""
        return np.stack([self._rows[item.key] for item in items])


def extract(
    cache: FeatureCache,
    items: Sequence[Item],
    job: Job,
    *,
    executor: Executor,
    label: str,
    log: Log,
) -> bool:
    """Fill the cache for `items`; True where all are there, False where other ranks have yet to do theirs.

    Args:
        cache: of one encoder.
        items: of all sets.
        job: with no items yet: what all jobs share.
        executor: where the work is done.
        label: of the progress bar.
        log: shows it.
    """
    cache.refresh()
    distinct = sorted({item.key: item for item in items}.values(), key=lambda item: item.key)
    slices = [distinct[start : start + JOB_IMAGES] for start in range(0, len(distinct), JOB_IMAGES)]
    mine = [part for number, part in enumerate(slices) if number % executor.world == executor.rank]
    jobs = [_filled(job, missing) for part in mine if (missing := cache.lacks(part))]
    if jobs:
        done = work_on(executor, run_job, jobs)
        total = sum(len(each.items) for each in jobs)
        for _ in log.progress(_counted(done), label, total=total, unit="images"):
            pass
        cache.refresh()
    return not cache.lacks(distinct)


def run_job(job: Job) -> int:
    """Extract and write one slice; how many images it has."""
    rows = [features for _, features in encoded(job)]
    table = np.concatenate(rows)
    if not np.isfinite(table).all():
        raise InputError(
            f"encoder {job.spec.encoder!r} gives features that are no finite numbers",
            fix="Check its weights, or compute in float32 (protocol.dtype).",
        )
    keys = [item.key for item in job.items]
    with private_folder(job.folder) as part:
        name = f"{sha256_json(keys)[:32]}.npz"
        np.savez(part / name, keys=np.asarray(keys), features=table.astype(np.float32))
        publish_once(part / name, job.folder / name)
    return len(keys)


def encoded(job: Job) -> Iterator[tuple[int, np.ndarray]]:
    """Batches of features, float32 [B, D], with the place of their first item."""
    import torch

    loaded = opened(job.spec)
    tower = loaded.tower
    mean, std = (torch.tensor(each, device=job.spec.device).view(1, 3, 1, 1) for each in (loaded.mean, loaded.std))
    shown = batches(job.items, job.resize, batch_size=job.batch_size, num_threads=job.num_threads)
    for start, pixels_BHWC in shown:
        pixels_BCHW = normalised(torch.from_numpy(pixels_BHWC).to(job.spec.device), mean, std)
        with (
            torch.inference_mode(),
            torch.autocast(torch.device(job.spec.device).type, torch.bfloat16, enabled=job.dtype == "bfloat16"),
        ):
            features_BD = tower(pixels_BCHW).float().cpu().numpy()
        yield start, features_BD


def normalised(pixels_BHWC: Any, mean: Any, std: Any) -> Any:
    """uint8 pixels as the encoder takes them: float32 [B, 3, H, W]."""
    return (pixels_BHWC.permute(0, 3, 1, 2).float() / 255 - mean) / std


@lru_cache(maxsize=1)
def opened(spec: EncoderSpec) -> Any:
    """The encoder with its weights, held until another is asked for."""
    from osler.model.encoder import open_encoder

    return open_encoder(spec.encoder, spec.folder, seed=spec.seed, device=spec.device)


def _filled(job: Job, items: Sequence[Item]) -> Job:
    return Job(job.spec, job.resize, job.dtype, tuple(items), job.folder, job.batch_size, job.num_threads)


def _counted(sizes: Iterator[int]) -> Iterator[int]:
    for size in sizes:
        yield from range(size)

"""Small worlds for tests of the encoder benchmark: drawn pictures in class folders, and runs with made-up answers."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from osler.core.log import Log
from osler.scoring.encoders.runs import Answered, Run
from osler.transfer.image_set import ImageSet
from osler.transfer.read_set import ImageSetConfig, read_image_set

SCORES = {"num_resamples": 200, "num_permutations": 199, "seed": 0, "confidence": 0.95, "threshold": 0.5, "version": 1}


def picture(seed: int, level: int = 0, *, size: tuple[int, int] = (40, 32)) -> Image.Image:
    """A noisy colour picture, brighter at a higher level."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 120, size=(8, 10, 3)).astype(np.uint8)
    big = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)).astype(int)
    return Image.fromarray(np.clip(big + 60 * level, 0, 255).astype(np.uint8))


def png(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, format=kind)
    return out.getvalue()


def class_folders(root: Path, *, classes=("dark", "bright"), per_class: int = 6, splits=("",)) -> Path:
    """Pictures whose brightness tells the class."""
    for number, split in enumerate(splits):
        for level, name in enumerate(classes):
            folder = root / split / name
            folder.mkdir(parents=True, exist_ok=True)
            for place in range(per_class):
                (folder / f"{place}.png").write_bytes(png(picture(1000 * number + 100 * level + place, level)))
    return root


def read(root: Path, **config) -> ImageSet:
    given = {"name": "drawn", "dataset": "folder", "root": root, **config}
    given = {key: value for key, value in given.items() if value is not None}
    return read_image_set(ImageSetConfig.parse(given), deep_gray="full_range", num_threads=1, log=Log(quiet=True))


def answered(gold, probabilities, *, groups=None, flags=None) -> Answered:
    names = tuple(f"i{n}" for n in range(len(gold)))
    return Answered(
        items=names,
        groups=tuple(groups or names),
        gold=np.asarray(gold),
        probabilities=np.asarray(probabilities, np.float32),
        flags=tuple(flags or [""] * len(gold)),
    )


def made_up_runs(
    skill: dict[str, float], *, sets=("alpha", "beta"), seeds=range(5), n=60, protocol="p" * 64, probe="linear"
) -> list[Run]:
    """Runs of encoders that are right with the probability that `skill` says."""
    classes = ("a", "b", "c")
    runs = []
    for set_name in sets:
        gold = np.random.default_rng(len(set_name)).integers(3, size=n)
        for encoder, share in skill.items():
            for seed in seeds:
                random = np.random.default_rng([seed, len(encoder), ord(encoder[0]), ord(set_name[0])])
                is_right = random.random(n) < share
                given = np.where(is_right, gold, (gold + random.integers(1, 3, size=n)) % 3)
                table = np.full((n, 3), 0.1)
                table[np.arange(n), given] = 0.8
                runs.append(
                    Run(
                        encoder=encoder, set_name=set_name, probe=probe, seed=seed, classes=classes,
                        is_multi_label=False, protocol_sha256=protocol, answers={"": answered(gold, table)},
                        facts={"": {"l2": 1.0}},
                        about={"scores": SCORES, "majority": [0], "weights_sha256": "w", "images": {}},
                    )
                )  # fmt: skip
    return runs

"""Image encoders as the transfer benchmark and zero-shot classification use them: one shape for all of them.

An entry of `model/encoders/` declares an encoder; `open_encoder` gives it with its weights. How a picture is resized
and what becomes of gray or of 16 bits is not the encoder's: the benchmark does that alike for every encoder and takes
only the image size, the mean and the standard deviation from it.

Axes: B images or texts, D features, E channels of the joint space of images and words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from osler.core.catalog import ENCODERS
from osler.core.errors import InputError
from osler.core.files import existing_folder
from osler.model.pretrained.layout import open_folder, random_tower
from osler.model.tower import Opened, Pooling, TextTower, Tower, weights_sha256


@dataclass(frozen=True)
class Encoder:
    """One published encoder, or one kind of our own.

    Args:
        paper: where it is described.
        licence: of its weights; an SPDX id where one exists.
        source: where its weights are published.
        layouts: names of the layouts, of `model/pretrained/layout.py`, in which a folder may hold it.
        widths: channels that its features may have; empty where any will do. A folder of another model is told by it.
        image_mean, image_std: of the pixels it was trained on, per RGB channel on a 0-1 scale; a folder that states
            its own overrides them.
        image_size: side in pixels at which it is used, if the folder states none and its configuration is of another.
        pool: how its patches become one vector.
        random: its configuration, from which a tower with random weights is made; None where weights are needed.
        conversion: what to do with its files where they are published as pickles.
    """

    paper: str
    licence: str
    source: str
    layouts: tuple[str, ...]
    image_mean: tuple[float, ...]
    image_std: tuple[float, ...]
    widths: tuple[int, ...] = ()
    image_size: int | None = None
    pool: Pooling = "own"
    random: Callable[[], Any] | None = None
    conversion: str = ""


@dataclass(frozen=True)
class LoadedEncoder:
    """An encoder with its weights.

    Args:
        name: of its entry.
        tower: normalised pixels [B, 3, image_size, image_size] to features [B, width], float32.
        width: channels of the features.
        image_size: side in pixels that the tower takes.
        mean, std: what pixels on a 0-1 scale are normalised by, per RGB channel.
        weights_sha256: of the tower's numbers and of how they are used; the same for the same features of the same
            pixels, so that a cache may go by it.
        text: the text tower, where the folder holds one with its tokenizer.
        joint: features [B, width] to the joint space [B, E], where there is one.
        logit_scale: what cosines are multiplied by, where it was learned.
        logit_bias: what is added then, by a sigmoid loss.
        without_text: why `text` is None.
    """

    name: str
    tower: Tower
    width: int
    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    weights_sha256: str
    text: TextTower | None = None
    joint: nn.Module | None = None
    logit_scale: float | None = None
    logit_bias: float | None = None
    without_text: str = "it was trained on images alone"

    def text_tower(self) -> TextTower:
        """The text tower. Raises InputError where there is none, which says why."""
        if self.text is None:
            raise InputError(
                f"encoder {self.name!r} reads no words: {self.without_text}",
                fix="Zero-shot classification and retrieval need an encoder with a text tower, such as clip.",
            )
        return self.text

    def images_joint(self, features_BD: torch.Tensor) -> torch.Tensor:
        """Features of images in the joint space, of length 1: [B, E]."""
        self.text_tower()
        joint = self.joint or nn.Identity()
        return F.normalize(joint(features_BD), dim=-1)

    def texts_joint(self, texts: Sequence[str]) -> torch.Tensor:
        """Texts in the joint space, of length 1: [B, E]."""
        return F.normalize(self.text_tower()(texts), dim=-1)


def open_encoder(name: str, folder: Path | None, *, seed: int = 0, device: str = "cpu") -> LoadedEncoder:
    """The encoder called `name`, with the weights in `folder`.

    Args:
        name: an entry of `model/encoders/`, or the dotted path of a module outside Osler.
        folder: a local folder; None draws random weights, where the entry has a configuration for that.
        seed: of random weights.
        device: torch device name of where it will run.

    Raises:
        InputError: unknown name; no folder, or one in another layout or of another model; pickled weights; weights
            with missing, unexpected or wrongly shaped tensors.
    """
    return load(ENCODERS.load(name), name, folder, seed=seed, device=device)


def load(entry: Encoder, name: str, folder: Path | None, *, seed: int = 0, device: str = "cpu") -> LoadedEncoder:
    """`open_encoder` of an entry that is at hand."""
    if folder is None:
        if entry.random is None:
            raise InputError(
                f"encoder {name!r} needs its weights",
                expected="the folder that holds them",
                got="none",
                fix=f"Fetch them from {entry.source} and name the folder.",
            )
        opened = random_tower(entry.random(), seed=seed)
    else:
        opened = open_folder(
            existing_folder(Path(folder)),
            layouts=entry.layouts,
            image_size=entry.image_size,
            conversion=entry.conversion,
        )
    if entry.widths and opened.width not in entry.widths:
        raise InputError(
            f"{folder} does not hold encoder {name!r}",
            expected=f"features of {' or '.join(map(str, entry.widths))} channels",
            got=str(opened.width),
            fix="Name the folder of this encoder, or the encoder of this folder.",
        )
    return _loaded(entry, name, opened, device)


def _loaded(entry: Encoder, name: str, opened: Opened, device: str) -> LoadedEncoder:
    pool = opened.pool if entry.pool == "own" else entry.pool
    tower = Tower(
        opened.vision, image_size=opened.image_size, pool=pool, num_prefix=opened.num_prefix, options=opened.options
    )
    digest = weights_sha256(tower)
    for module in (tower, opened.text, opened.joint):
        if module is not None:
            module.to(device).eval()
    return LoadedEncoder(
        name=name,
        tower=tower,
        width=opened.width,
        image_size=opened.image_size,
        mean=opened.mean or entry.image_mean,
        std=opened.std or entry.image_std,
        weights_sha256=digest,
        text=opened.text,
        joint=opened.joint,
        logit_scale=opened.logit_scale,
        logit_bias=opened.logit_bias,
        without_text=opened.without_text,
    )

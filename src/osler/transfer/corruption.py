"""Corruption: what one file of `corruptions/` declares, and how it is done to a picture.

A corruption works on float32 pixels [height, width, channels] in 0..1, with one channel where the picture is gray (also
where it is stored as three equal channels, so that gray stays gray) and three where it is in colour.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from osler.core.catalog import CORRUPTIONS
from osler.core.errors import InputError
from osler.core.rng import generator

Apply = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]
SEVERITIES = (1, 2, 3, 4, 5)
MODALITIES = (
    *("x-ray", "ct", "mri", "ultrasound", "oct"),
    *("fundus", "endoscopy", "dermatology", "pathology", "microscopy"),
)
_OTHER_NAMES = {
    "mammography": ("x-ray",),
    "histopathology": ("pathology",),
    "dermoscopy": ("dermatology",),
    "radiology": ("x-ray", "ct", "mri", "ultrasound"),
}
_MIN_SIDE = 8


@dataclass(frozen=True, kw_only=True)
class Corruption:
    """One corruption.

    apply: pixels, strength and a generator to pixels of the same shape, which need not be within 0..1.
    strengths: what severities 1 to 5 mean, from weak to strong.
    unit: what a strength is.
    kind: `medical` where it comes from how medical pictures are taken, `common` for what happens to any picture.
    modalities: of which pictures it makes sense, out of MODALITIES; () for all.
    """

    apply: Apply
    strengths: tuple[float, float, float, float, float]
    unit: str
    kind: Literal["medical", "common"]
    modalities: tuple[str, ...] = ()

    def fits(self, modality: str) -> bool:
        """Whether it makes sense for pictures of `modality`; of a modality that is not known, only what fits all."""
        if not self.modalities:
            return True
        name = modality.lower()
        return any(one in self.modalities for one in _OTHER_NAMES.get(name, (name,)))


def corrupt(pixels: np.ndarray, name: str, severity: int, *, seed: int, image_id: str) -> np.ndarray:
    """A picture with one corruption. The same arguments give the same bytes; another picture gets other noise.

    Args:
        pixels: uint8 [H, W], [H, W, 1] or [H, W, 3], at least 8 pixels wide and high.
        name: an entry of `osler list corruptions`.
        severity: 1 to 5.
        seed: of the run.
        image_id: names the picture; part of what its generator is made from.

    Returns:
        uint8 of the same shape.

    Raises:
        InputError: an unknown corruption, another severity, or another kind of array.
    """
    corruption: Corruption = CORRUPTIONS.load(name)
    if severity not in SEVERITIES:
        raise InputError(f"corruption {name!r} has no severity {severity!r}", expected="1, 2, 3, 4 or 5")
    _check(pixels)
    layers = pixels if pixels.ndim == 3 else pixels[:, :, None]
    is_gray = layers.shape[2] == 1 or bool((layers == layers[:, :, :1]).all())
    values = (layers[:, :, :1] if is_gray else layers).astype(np.float32) / np.float32(255)
    rng = generator(seed, "corrupt", name, severity, image_id)
    changed = corruption.apply(values, corruption.strengths[severity - 1], rng)
    out = np.rint(np.clip(changed, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(out, layers.shape)).reshape(pixels.shape)


def fitting(modality: str) -> list[str]:
    """The names of the corruptions that make sense for a modality, sorted."""
    return [name for name in CORRUPTIONS.names() if CORRUPTIONS.load(name).fits(modality)]


def _check(pixels: np.ndarray) -> None:
    shaped = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (1, 3))
    if pixels.dtype != np.uint8 or not shaped or min(pixels.shape[:2]) < _MIN_SIDE:
        raise InputError(
            "cannot corrupt this array",
            expected=f"uint8 [H, W], [H, W, 1] or [H, W, 3] of at least {_MIN_SIDE} x {_MIN_SIDE} pixels",
            got=f"{pixels.dtype} {list(pixels.shape)}",
        )

"""Burned-in markers: letters in dark boxes, as technicians and scanners write them onto a picture."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import resized, side

_LETTERS = {
    "L": ("10000", "10000", "10000", "10000", "10000", "10000", "11111"),
    "R": ("11110", "10001", "10001", "11110", "10100", "10010", "10001"),
    "P": ("11110", "10001", "10001", "11110", "10000", "10000", "10000"),
    "A": ("01110", "10001", "10001", "11111", "10001", "10001", "10001"),
}
_MIN_HEIGHT = 5


def burned_in_marker(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """A letter of height `strength` near one corner and three letters near the opposite one."""
    out = pixels.copy()
    words = (str(rng.choice(list("LR"))), "".join(rng.permutation(list("PAL"))))
    right, low = rng.random(2) < 0.5
    for word, at_right, at_low in ((words[0], right, low), (words[1], not right, not low)):
        _write(out, word, strength, at_right=bool(at_right), at_low=bool(at_low))
    return out


def _write(pixels: np.ndarray, word: str, strength: float, *, at_right: bool, at_low: bool) -> None:
    """Write a word into its box, in place; a box that is too wide is cut at the picture's border."""
    glyphs = [np.array([[int(dot) for dot in row] for row in _LETTERS[letter]], dtype=np.float32) for letter in word]
    box = np.pad(np.concatenate([np.pad(glyph, ((0, 0), (0, 1))) for glyph in glyphs], axis=1), ((1, 1), (1, 0)))
    tall = max(_MIN_HEIGHT, round(strength * side(pixels) * box.shape[0] / 7))
    box = resized(box[:, :, None], tall, max(_MIN_HEIGHT, round(tall * box.shape[1] / box.shape[0])), how="nearest")
    height, width = (min(box.shape[axis], pixels.shape[axis]) for axis in (0, 1))
    margin_y, margin_x = (
        min(side(pixels) // 20, pixels.shape[axis] - size) for axis, size in ((0, height), (1, width))
    )
    top = pixels.shape[0] - margin_y - height if at_low else margin_y
    left = pixels.shape[1] - margin_x - width if at_right else margin_x
    pixels[top : top + height, left : left + width] = box[:height, :width]


CORRUPTION = Corruption(
    apply=burned_in_marker,
    strengths=(0.05, 0.08, 0.12, 0.17, 0.24),
    unit="height of a letter, of the shorter side",
    kind="medical",
    modalities=("x-ray", "ct", "mri", "ultrasound", "oct", "endoscopy"),
)

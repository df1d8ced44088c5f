"""Alike: whether two images with near hashes are copies, by a likeness that depends on how much a set's images differ.

Unrelated photographs share no detail. Chest films of one view do, so among them a copy must be nearer to count. How
near is measured on the set itself: on pairs of its images that are known to be different, or nearly all so, and whose
hashes are near all the same.
"""

from collections.abc import Sequence

import numpy as np

from osler.media.hashing import Box, Variants, part
from osler.media.likeness import likeness

LOWEST, HIGHEST = 0.80, 0.97
MAX_PAIRS = 300
_MIN_PAIRS = 5
_SPREADS = 4.5
_MAX_PLACES, _FARTHER, _APART, _HOPELESS = 2, 12, 0.035, 0.5
_DOUBT = 0.35


def needed_likeness(unrelated: Sequence[float]) -> float:
    """The likeness from which on a pair counts as copies, given the likeness of pairs that are none.

    Their median and 4.5 times their spread on Fisher's scale, within 0.80 and 0.97: a chance of a few in a million for
    a pair that is no copy. The spread is the wider of two that a few copies among them change little: from the median
    absolute deviation, and from the median to the ninth decile.
    """
    if len(unrelated) < _MIN_PAIRS:
        return LOWEST
    scale = np.arctanh(np.clip(unrelated, -0.999, 0.999))
    middle = np.median(scale)
    spread = max(1.4826 * np.median(np.abs(scale - middle)), (np.quantile(scale, 0.9) - middle) / 1.2816)
    return float(np.clip(np.tanh(middle + _SPREADS * spread), LOWEST, HIGHEST))


def doubtful_likeness(needed: float) -> float:
    """The likeness from which on a person should look at a pair that falls short of `needed`."""
    return float(np.tanh(np.arctanh(needed) - _DOUBT))


def best_likeness(forms: Variants, numbers: Sequence[int], distances: Sequence[int], *, content: np.ndarray) -> float:
    """The likeness of an image to the variant that its hash is nearest to, or to the next too if that leaves doubt.

    Args:
        forms: the variants of the image looked for.
        numbers: those with a near hash, the nearest first.
        distances: how far their hashes are.
        content: the other image, from `hashing.read_content`.
    """
    best = -1.0
    seen: list[tuple[int, Box]] = []
    for number, bits in zip(numbers, distances, strict=True):
        form, box = forms.places[number]
        if bits > distances[0] + _FARTHER or any(form == one and _is_close(box, other) for one, other in seen):
            continue
        seen.append((form, box))
        best = max(best, likeness(part(forms.forms[form], box), content))
        if best >= HIGHEST or best < _HOPELESS or len(seen) == _MAX_PLACES:
            break
    return best


def _is_close(box: Box, other: Box) -> bool:
    return max(abs(one - two) for one, two in zip(box, other, strict=True)) < _APART

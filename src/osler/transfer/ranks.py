"""Ranks in retrieval between images and texts, both ways, in pieces: the whole table of scores is never held.

An image may have several right texts and a text several right images: `pairs` says which belong together. The rank of a
query is that of its best right candidate,

    rank = 1 + number of wrong candidates whose score is at least the best right score,

so a wrong candidate that ties counts against the query: an encoder that gives every image the same features has no
hits. Scores within TIE of one another are ties, since a score's last bits depend on the size of the piece that it was
computed in.
"""

import math
from typing import NamedTuple

import numpy as np

from osler.core.errors import InputError

TIE = 1e-6
_PIECE_BYTES = 64 * 2**20
_ROUNDING = 1e-9


class Ranks(NamedTuple):
    """Ranks from 1. images [I]: of the best right text of each image. texts [T]: of the best right image of each."""

    images: np.ndarray
    texts: np.ndarray


def ranks_both_ways(
    images_IE: np.ndarray, texts_TE: np.ndarray, pairs_P2: np.ndarray, *, piece_bytes: int = _PIECE_BYTES
) -> Ranks:
    """The rank of every image's and of every text's best right candidate, by cosine.

    Args:
        images_IE: float32, of length 1.
        texts_TE: float32, of length 1.
        pairs_P2: which image belongs to which text; every image and every text is in at least one pair.
        piece_bytes: about how much memory a piece of the table of scores takes.

    Raises:
        InputError: features of another form, or an image or a text without a right partner.
    """
    _check(images_IE, texts_TE, pairs_P2)
    pairs = np.unique(pairs_P2, axis=0)
    best_image, best_text = _best_right(images_IE, texts_TE, pairs)
    ahead_image = np.zeros(len(images_IE), dtype=np.int64)
    ahead_text = np.zeros(len(texts_TE), dtype=np.int64)
    rows = max(1, piece_bytes // (5 * len(texts_TE)))
    for start in range(0, len(images_IE), rows):
        stop = min(start + rows, len(images_IE))
        scores = images_IE[start:stop] @ texts_TE.T
        own = pairs[slice(*np.searchsorted(pairs[:, 0], (start, stop)))]
        scores[own[:, 0] - start, own[:, 1]] = -np.inf
        ahead_image[start:stop] = np.count_nonzero(scores >= best_image[start:stop, None] - TIE, axis=1)
        ahead_text += np.count_nonzero(scores >= best_text[None, :] - TIE, axis=0)
    return Ranks(ahead_image + 1, ahead_text + 1)


def chance_recall(num_right: np.ndarray, num_candidates: int, k: int) -> np.ndarray:
    """The probability that a random order has a right candidate among its first `k`, for each query.

    1 - C(n - r, k) / C(n, k), with r right ones of n candidates.
    """
    several, place = np.unique(num_right, return_inverse=True)
    missed = [_share_missed(int(r), num_candidates, min(k, num_candidates)) for r in several]
    return 1 - np.asarray(missed)[place]


def chance_median(num_right: np.ndarray, num_candidates: int) -> int:
    """The least rank that, in random orders, at least half of the queries reach."""
    low, high = 1, num_candidates
    while low < high:
        middle = (low + high) // 2
        if chance_recall(num_right, num_candidates, middle).mean() >= 0.5 - _ROUNDING:
            high = middle
        else:
            low = middle + 1
    return low


def _share_missed(num_right: int, n: int, k: int) -> float:
    if num_right + k > n:
        return 0.0
    kept = math.lgamma(n - num_right + 1) - math.lgamma(n - num_right - k + 1)
    return math.exp(kept - math.lgamma(n + 1) + math.lgamma(n - k + 1))


def _best_right(images: np.ndarray, texts: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best right score of each image and of each text."""
    best_image = np.full(len(images), -np.inf, dtype=np.float32)
    best_text = np.full(len(texts), -np.inf, dtype=np.float32)
    step = max(1, _PIECE_BYTES // (8 * images.shape[1]))
    for start in range(0, len(pairs), step):
        image, text = pairs[start : start + step].T
        scores = np.einsum("pe,pe->p", images[image], texts[text])
        np.maximum.at(best_image, image, scores)
        np.maximum.at(best_text, text, scores)
    return best_image, best_text


def _check(images: np.ndarray, texts: np.ndarray, pairs: np.ndarray) -> None:
    if images.ndim != 2 or texts.ndim != 2 or images.shape[1] != texts.shape[1]:
        raise InputError(
            "images and texts are not in one space",
            expected="features [images, E] and [texts, E]",
            got=f"{list(images.shape)} and {list(texts.shape)}",
        )
    for noun, features in (("image", images), ("text", texts)):
        if not np.isfinite(features).all():
            bad = int(np.flatnonzero(~np.isfinite(features).all(axis=1))[0])
            raise InputError(f"the features of {noun} {bad} are not finite", fix="Check the encoder's weights.")
    for noun, column, count in (("image", 0, len(images)), ("text", 1, len(texts))):
        alone = np.setdiff1d(np.arange(count), pairs[:, column])
        if len(alone):
            raise InputError(f"{noun} {int(alone[0])} is in no pair", expected=f"a right partner for every {noun}")

"""Turned copies: one picture in another turn, place, size or mirrored, as augmentation makes them.

Hashes see copies that are cropped or turned by a few degrees. Here keypoints of two pictures (SIFT: D. Lowe, IJCV 60
(2004), with root-normalised descriptors: Arandjelovic and Zisserman, CVPR 2012) are paired, the turn, shift and scale
on which most pairs agree is sought, the one picture is laid onto the other by it, and their fine detail is compared
where the paired points lie. A fifth of a millisecond a pair of pictures: for some thousand pictures, not for millions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from osler.core.errors import InputError
from osler.media.likeness import likeness

MAX_SIDE = 320
_KEYPOINTS = 100
_BLOCK = 256
_RATIO = 0.85
_AGREE_PX, _STEPS = 3.0, 500
_SCALES = (0.6, 1.7)
_MIN_POINTS, _MIN_AREA = 7, 0.05
# Of the real sets at hand, copies reach 0.98, and the nearest pair that is none has 0.56.
_SURE, _DOUBTFUL = 0.9, 0.8
_STILL = 0.09


class Keypoints(NamedTuple):
    """Points of one picture. xy: float32 [K, 2]. codes: float32 [K, 128], of length 1."""

    xy: np.ndarray
    codes: np.ndarray


@dataclass(frozen=True, eq=False)
class Seen:
    """A gray picture with its keypoints, as it is and mirrored."""

    gray: np.ndarray
    plain: Keypoints
    mirrored: Keypoints


class Turned(NamedTuple):
    """A copy by its place among those that were looked at. score: the likeness where the two overlap."""

    other: int
    score: float
    is_doubtful: bool


def see(gray: np.ndarray) -> Seen:
    """The keypoints of a gray picture, uint8 [height, width], which is made smaller where it is large."""
    cv2 = _opencv()
    scale = MAX_SIDE / max(gray.shape)
    if scale < 1:
        gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    flipped = np.ascontiguousarray(gray[:, ::-1])
    return Seen(gray, _keypoints(cv2, gray), _keypoints(cv2, flipped))


class Pool:
    """Pictures in which copies are looked for.

    Their codes lie in one table, so that a picture is compared with many by one product: small products, each by
    several threads, would wait for each other.
    """

    def __init__(self, seen: Sequence[Seen]) -> None:
        self.seen = seen
        self._starts = np.cumsum([0, *(len(each.plain.codes) for each in seen)])
        self._codes = np.concatenate([each.plain.codes for each in seen]) if seen else np.zeros((0, 128), np.float32)

    def copies(self, one: Seen, *, first: int = 0) -> list[Turned]:
        """The pictures from number `first` on that show `one`."""
        found = []
        for begin in range(first, len(self.seen), _BLOCK):
            end = min(begin + _BLOCK, len(self.seen))
            codes = self._codes[self._starts[begin] : self._starts[end]].T
            cosines = [points.codes @ codes for points in (one.plain, one.mirrored)]
            edges = self._starts[begin : end + 1] - self._starts[begin]
            for place in range(begin, end):
                part = slice(edges[place - begin], edges[place - begin + 1])
                score = _likeness(one, self.seen[place], [table[:, part] for table in cosines])
                if score >= _DOUBTFUL:
                    found.append(Turned(place, score, score < _SURE))
        return found


def _likeness(one: Seen, other: Seen, cosines: Sequence[np.ndarray]) -> float:
    """The likeness of two pictures where their paired keypoints lie; 0 where too few agree."""
    cv2 = _opencv()
    best = 0.0
    views = ((one.plain, one.gray), (one.mirrored, one.gray[:, ::-1]))
    for (points, gray), cosine in zip(views, cosines, strict=True):
        pairs = _pairs(cosine)
        if len(pairs) < _MIN_POINTS:
            continue
        here, there = points.xy[pairs[:, 0]], other.plain.xy[pairs[:, 1]]
        place, agree = cv2.estimateAffinePartial2D(
            there, here, ransacReprojThreshold=_AGREE_PX, maxIters=_STEPS, confidence=0.999
        )
        if place is None or int(agree.sum()) < _MIN_POINTS:
            continue
        if not _SCALES[0] < float(np.hypot(place[0, 0], place[1, 0])) < _SCALES[1] or _is_still(place, gray.shape):
            continue
        best = max(best, _overlap(cv2, np.ascontiguousarray(gray), other.gray, place, here[agree.ravel() > 0]))
    return best


def _is_still(place: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether a map hardly moves the picture: such copies are found by their hashes.

    Films of one view agree in their keypoints nearly in place, whoever's they are.
    """
    height, width = shape
    corners = np.asarray([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], dtype=float)
    moved = corners @ place.T - corners[:, :2]
    return bool(np.hypot(*moved.T).max() < _STILL * max(height, width))


def _overlap(cv2: Any, gray: np.ndarray, other: np.ndarray, place: np.ndarray, points: np.ndarray) -> float:
    """The likeness within the box of the points that agree, the other picture laid onto this one."""
    height, width = gray.shape
    left, top = np.floor(points.min(axis=0)).astype(int)
    right, low = np.ceil(points.max(axis=0)).astype(int) + 1
    if (right - left) * (low - top) < _MIN_AREA * height * width:
        return 0.0
    laid = cv2.warpAffine(other, place, (width, height), flags=cv2.INTER_LINEAR)
    box = (slice(max(0, top), low), slice(max(0, left), right))
    return likeness(np.ascontiguousarray(gray[box]), np.ascontiguousarray(laid[box]))


def _pairs(cosine: np.ndarray) -> np.ndarray:
    """Pairs of points that are each other's nearest, and clearly nearer than the next: int [P, 2]."""
    if min(cosine.shape) < 2:
        return np.zeros((0, 2), dtype=int)
    nearest = cosine.argmax(axis=1)
    rows = np.arange(len(cosine))
    best = cosine[rows, nearest]
    second = np.partition(cosine, -2, axis=1)[:, -2]
    clear = (1 - best) < _RATIO**2 * (1 - second)
    kept = clear & (cosine.argmax(axis=0)[nearest] == rows)
    return np.stack([rows[kept], nearest[kept]], axis=1)


def _keypoints(cv2: Any, gray: np.ndarray) -> Keypoints:
    found, codes = cv2.SIFT_create(nfeatures=_KEYPOINTS).detectAndCompute(gray, None)
    if codes is None:
        return Keypoints(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    total = np.maximum(codes.sum(axis=1, keepdims=True), 1e-9)
    return Keypoints(np.asarray([point.pt for point in found], np.float32), np.sqrt(codes / total))


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise InputError(
            "looking for turned copies needs the package opencv-python",
            fix="Install the extra that brings it: pip install -e '.[transfer]'.",
        ) from error
    return cv2

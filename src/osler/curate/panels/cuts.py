"""Where a region of a figure can be cut straight across: paper between pictures, black between them, or a mere edge.

Axis 0 cuts between columns, axis 1 between rows. A region's planes are turned so that the positions to cut at always
run along the last axis.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from osler.curate.panels.boxes import Box

PAPER, DARK = 238, 20
CLEAR_SHARE = 0.98  # of a column of a gutter; the rest may be noise of JPEG, but no line
NO_LINE = 190
SHARP_SHARE = 0.35  # of a picture's side that is lit, or inked, where a gutter begins
EVEN = 0.45  # the smallest over the largest piece
EDGE_STEP = 14  # a step in tone that noise and JPEG rarely make
SEAM_SHARE, SEAM_RISE = 0.5, 0.3
SURE_SEAM = 1.4  # times both, where gutters have parted the figure already
MIN_SEEN = 0.7
MIN_LIT = 0.03  # of a piece beside an edge
MAX_PAPER_AT_SEAM = 0.2  # drawings are full of straight lines that part nothing


@dataclass(frozen=True)
class Planes:
    """The lowest and the highest of a region's three channels a pixel, uint8 [H, W] each."""

    low: np.ndarray
    high: np.ndarray

    def part(self, box: Box) -> "Planes":
        """A box of the region."""
        x0, y0, x1, y1 = box
        return Planes(self.low[y0:y1, x0:x1], self.high[y0:y1, x0:x1])

    def turned(self, axis: int) -> "Planes":
        """The region such that positions along `axis` are columns."""
        if axis == 0:
            return self
        return Planes(self.low.T, self.high.T)

    @property
    def shape(self) -> tuple[int, int]:
        """Width and height."""
        return self.low.shape[1], self.low.shape[0]


@dataclass(frozen=True)
class Cut:
    """One straight cut: positions `start` to `stop` belong to neither side. strength: 0 to 1."""

    start: int
    stop: int
    kind: Literal["paper", "black", "seam"]
    strength: float


def paper_cuts(planes: Planes, min_side: int) -> list[Cut]:
    """Cuts along paper that runs through the whole region.

    Beside the straight side of a picture any gap will do; between drawings it must be wide to be trusted.
    """
    clear = paper_columns(planes.low)
    cuts = []
    for start, stop in _between_large_pieces(clear, min_side):
        sharp = max(_ink_share(planes, start - 2), _ink_share(planes, stop + 1))
        wide = (stop - start) / min_side
        strength = 0.75 + 2 * wide if sharp >= SHARP_SHARE else 0.25 + 3 * wide
        cuts.append(Cut(start, stop, "paper", float(np.clip(strength, 0, 1))))
    return cuts


def paper_columns(low: np.ndarray) -> np.ndarray:
    """Which columns are paper from end to end, bool [W]: a line one pixel thin that crosses them is none."""
    mostly = np.count_nonzero(low >= PAPER, axis=0) >= CLEAR_SHARE * low.shape[0]
    return mostly & (low.min(axis=0, initial=255) >= NO_LINE)


def black_cuts(planes: Planes, min_side: int, *, only_sharp: bool) -> list[Cut]:
    """Cuts along black that runs through the whole region.

    Where a picture ends sharply beside the black, the cut is strong. Where none does, the black may be a picture's own
    ground: then only pieces of like size are parted, in the middle of the black, and the cut is weak.
    """
    width, height = planes.shape
    mostly = np.count_nonzero(planes.high <= DARK, axis=0) >= CLEAR_SHARE * height
    clear = mostly & (planes.high.max(axis=0, initial=0) < 3 * DARK)
    runs = _between_large_pieces(clear, min_side)
    sharp = [max(_lit_share(planes, start - 2), _lit_share(planes, stop + 1)) for start, stop in runs]
    middles = [(start + stop) // 2 for start, stop in runs]
    sizes = np.diff([0, *middles, width])
    is_even = sizes.min() >= max(EVEN * sizes.max(), 2 * min_side)
    cuts = []
    for (start, stop), middle, share in zip(runs, middles, sharp, strict=True):
        if share >= SHARP_SHARE and stop - start <= min_side:
            cuts.append(Cut(start, stop, "black", float(np.clip(0.4 + 0.8 * share, 0, 0.95))))
        elif is_even and not only_sharp:
            cuts.append(Cut(middle, middle, "black", 0.4))
    return cuts


def seam_cuts(planes: Planes, min_side: int, *, least: float) -> tuple[list[Cut], float]:
    """Cuts at edges that run straight through the whole region, and how near the best edge left out came, 0 to 1.

    Args:
        planes: the region.
        min_side: the least size of a piece.
        least: how many times as clear as at the least an edge must be.
    """
    width = planes.shape[0]
    if width < 2 * min_side or np.count_nonzero(planes.low >= PAPER) > MAX_PAPER_AT_SEAM * planes.low.size:
        return [], 0.0
    share = _edge_share(planes)
    sums = np.concatenate([[0.0], np.cumsum(np.pad(share, 10, mode="reflect"))])
    before, after = sums[8:-13] - sums[:-21], sums[21:] - sums[13:-8]
    usual = np.maximum(before, after) / 8
    rise = share - usual
    score = np.minimum(share / SEAM_SHARE, rise / SEAM_RISE) / least
    score[:min_side] = score[width - min_side :] = 0
    cuts: list[Cut] = []
    left_out = 0.0
    for place in np.argsort(-score, kind="stable")[:64]:
        if any(abs(int(place) - cut.start) < min_side for cut in cuts):
            continue
        if score[place] < 1 or len(cuts) == 12:
            left_out = float(np.clip(score[place], 0, 1))
            break
        position = int(place)
        cuts.append(Cut(position, position, "seam", float(np.clip(0.4 + 0.35 * (score[place] - 1), 0, 0.9))))
    return _between_lit(planes, sorted(cuts, key=lambda cut: cut.start)), left_out


def _between_lit(planes: Planes, cuts: list[Cut]) -> list[Cut]:
    """The cuts that part one lit piece from another: a black margin is no panel."""
    lit = np.count_nonzero(planes.high > DARK, axis=0).cumsum()
    kept: list[Cut] = []
    for cut in cuts:
        start = kept[-1].stop if kept else 0
        if min(_mean(lit, start, cut.start), _mean(lit, cut.stop, len(lit))) >= MIN_LIT * planes.shape[1]:
            kept.append(cut)
    return kept


def _mean(sums: np.ndarray, start: int, stop: int) -> float:
    """The mean of positions `start` to `stop` from running sums."""
    return float(sums[stop - 1] - (sums[start - 1] if start else 0)) / max(1, stop - start)


def _ink_share(planes: Planes, position: int) -> float:
    position = min(max(position, 0), planes.shape[0] - 1)
    return float(np.mean(planes.low[:, position] < PAPER))


def _lit_share(planes: Planes, position: int) -> float:
    position = min(max(position, 0), planes.shape[0] - 1)
    return float(np.mean(planes.high[:, position] > 2 * DARK))


def _edge_share(planes: Planes) -> np.ndarray:
    """For each position, the share of its pixels at which tone steps; pixels black on both sides do not count."""
    step = _step(planes.low, 1) > EDGE_STEP
    step |= _step(planes.high, 1) > EDGE_STEP
    wide = np.maximum(_step(planes.low, 2), _step(planes.high, 2)) > 1.6 * EDGE_STEP
    step[:, 1:] |= wide
    lit = planes.high > DARK
    seen = lit[:, 1:] | lit[:, :-1]
    num_seen = np.count_nonzero(seen, axis=0)
    share = np.count_nonzero(step & seen, axis=0) / np.maximum(num_seen, MIN_SEEN * planes.shape[1])
    return np.concatenate([[0.0], share])


def _step(plane: np.ndarray, apart: int) -> np.ndarray:
    """How far two pixels `apart` positions differ, uint8."""
    before, after = plane[:, :-apart], plane[:, apart:]
    return np.maximum(before, after) - np.minimum(before, after)


def _between_large_pieces(clear: np.ndarray, min_side: int) -> list[tuple[int, int]]:
    """The clear runs at which to cut: between each two neighbouring pieces of at least `min_side`, the widest.

    Smaller pieces, such as labels and numbers at axes, thus stay with the nearer of the two.
    """
    change = np.flatnonzero(np.diff(np.concatenate([[True], clear, [True]]).astype(np.int8)))
    pieces = change.reshape(-1, 2)
    large = [number for number, (start, stop) in enumerate(pieces) if stop - start >= min_side]
    runs = []
    for first, second in zip(large[:-1], large[1:], strict=True):
        gaps = [(int(pieces[n][1]), int(pieces[n + 1][0])) for n in range(first, second)]
        runs.append(max(gaps, key=lambda gap: gap[1] - gap[0]))
    return [run for run in runs if run[1] - run[0] >= 2]

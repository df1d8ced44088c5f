"""How well found panels agree with true ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from osler.curate.panels.boxes import Box, area, iou, overlap

CLEF_SHARE = 2 / 3


@dataclass(frozen=True)
class PanelCounts:
    """Counts over figures, to be added up.

    matched: pairs of a true and a found panel whose IoU reaches the threshold, each panel in one pair at most.
    clef_sum: the sum over figures of their ImageCLEF-style accuracy. exact: figures with the true number of panels.
    """

    figures: int = 0
    true: int = 0
    found: int = 0
    matched: int = 0
    clef_sum: float = 0.0
    exact: int = 0

    def __add__(self, other: "PanelCounts") -> "PanelCounts":
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return PanelCounts(*(mine + theirs for mine, theirs in pairs))

    @property
    def precision(self) -> float:
        """Share of found panels that are true."""
        return self.matched / max(1, self.found)

    @property
    def recall(self) -> float:
        """Share of true panels that are found."""
        return self.matched / max(1, self.true)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.matched / max(1, self.found + self.true)

    @property
    def clef(self) -> float:
        """The mean ImageCLEF-style accuracy of a figure."""
        return self.clef_sum / max(1, self.figures)


def score_panels(truth: Sequence[Box], found: Sequence[Box], *, min_iou: float = 0.5) -> PanelCounts:
    """The counts of one figure. Pairs are made greedily, the largest IoU first."""
    exact = int(len(truth) == len(found))
    return PanelCounts(1, len(truth), len(found), _matches(truth, found, min_iou), clef_accuracy(truth, found), exact)


def clef_accuracy(truth: Sequence[Box], found: Sequence[Box]) -> float:
    """Right panels over the larger of the numbers of true and found ones.

    A found panel is right if more than two thirds of its own area lie in a true panel that no other has been counted
    for. This follows the rule of the ImageCLEF figure separation tasks as told in papers; it was not compared with
    their evaluator.
    """
    free = set(range(len(truth)))
    right = 0
    for box in found:
        inside = [number for number in free if overlap(truth[number], box) > CLEF_SHARE * area(box)]
        if inside:
            free.discard(max(inside, key=lambda number: overlap(truth[number], box)))
            right += 1
    return right / max(1, len(truth), len(found))


def _matches(truth: Sequence[Box], found: Sequence[Box], min_iou: float) -> int:
    pairs = [(iou(t, f), i, j) for i, t in enumerate(truth) for j, f in enumerate(found)]
    used_true: set[int] = set()
    used_found: set[int] = set()
    for value, i, j in sorted(pairs, reverse=True):
        if value >= min_iou and i not in used_true and j not in used_found:
            used_true.add(i)
            used_found.add(j)
    return len(used_true)

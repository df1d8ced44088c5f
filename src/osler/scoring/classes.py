"""F1 and recall by class from counts, with what happens to a class that nobody named stated by name."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Literal, NamedTuple

from osler.scoring.scorer import Sums

Absent = Literal["zero", "left-out"]
"""A class that is in no gold answer and in no prediction: counts 0 (as scikit-learn's `labels=` with
`zero_division=0`), or is left out of the average."""


class ClassCounts(NamedTuple):
    """How often a class was the gold one, how often it was given, how often both."""

    gold: float
    given: float
    both: float

    @property
    def f1(self) -> float:
        """2 both / (gold + given); 0 where that is 0 / 0."""
        return 2 * self.both / (self.gold + self.given) if self.gold + self.given else 0.0


def parts(label: Hashable, *, gold: bool, given: bool) -> Sums:
    """One item's part of the counts of one class. The class is declared even where all of it is 0."""
    return {(label, "gold"): gold, (label, "given"): given, (label, "both"): gold and given}


def by_class(sums: Sums) -> Mapping[Hashable, ClassCounts]:
    """The counts of every declared class, in order of first appearance."""
    labels = dict.fromkeys(name[0] for name in sums)  # type: ignore[index]
    return {label: ClassCounts(*(sums.get((label, part), 0) for part in ("gold", "given", "both"))) for label in labels}


def macro_f1(counts: Sequence[ClassCounts], *, absent: Absent = "zero") -> float:
    """The plain mean of the classes' F1; 0 without classes."""
    kept = [one for one in counts if absent == "zero" or one.gold or one.given]
    return sum(one.f1 for one in kept) / len(kept) if kept else 0.0


def micro_f1(counts: Sequence[ClassCounts]) -> float:
    """F1 of the counts summed over classes."""
    return ClassCounts(*(sum(part) for part in zip(*counts, strict=True))).f1 if counts else 0.0


def balanced_accuracy(counts: Sequence[ClassCounts]) -> float:
    """The mean recall over classes that some gold answer has; a class without gold answers has no recall."""
    recalls = [one.both / one.gold for one in counts if one.gold]
    return sum(recalls) / len(recalls) if recalls else 0.0

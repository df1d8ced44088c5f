"""Balanced accuracy: the mean recall of the classes that gold answers have."""

from osler.scoring.classes import balanced_accuracy, by_class
from osler.scoring.labelled import KINDS, class_sums, is_right
from osler.scoring.scorer import Metric, Sums


def of_sums(sums: Sums) -> float:
    """Balanced accuracy from the classes' counts."""
    return balanced_accuracy(list(by_class(sums).values()))


METRIC = Metric(
    name="balanced_accuracy",
    signature="balanced_accuracy|labels:declared-by-the-question|absent-from-gold:left-out|unparsed:wrong|agg:corpus|v:1",
    range=(0.0, 1.0),
    paper="Brodersen et al. 2010, doi 10.1109/ICPR.2010.764",
    kinds=KINDS,
    score=is_right,
    sums=class_sums,
    of_sums=of_sums,
)

"""Macro-F1 over the declared labels: every class weighs the same, however rare it is.

macro_f1/declared  the mean over all labels that the questions declare; one that is in no gold answer and in no
                   prediction counts 0, also in a resample of the bootstrap (default)
macro_f1/occurring the mean over labels that occur in a gold answer or a prediction
An unparsed answer is a miss of its gold class and a prediction of none.
"""

from functools import partial

from osler.scoring.classes import Absent, by_class, macro_f1
from osler.scoring.labelled import KINDS, class_sums, is_right
from osler.scoring.scorer import Metric, Sums


def of_sums(sums: Sums, *, absent: Absent) -> float:
    """Macro-F1 from the classes' counts."""
    return macro_f1(list(by_class(sums).values()), absent=absent)


def _variant(name: str, form: str, absent: Absent) -> Metric:
    return Metric(
        name=name,
        signature=f"macro_f1/{form}|labels:declared-by-the-question|absent:{absent}|unparsed:no-class|agg:corpus|v:1",
        range=(0.0, 1.0),
        paper="Opitz and Burst 2019, arXiv 1911.03347 (the mean of the classes' F1, not F1 of the means)",
        kinds=KINDS,
        score=is_right,
        sums=class_sums,
        of_sums=partial(of_sums, absent=absent),
        variants={
            "declared": _variant("macro_f1/declared", "declared", "zero"),
            "occurring": _variant("macro_f1/occurring", "occurring", "left-out"),
        }
        if name == "macro_f1"
        else {},
    )


METRIC = _variant("macro_f1", "declared", "zero")

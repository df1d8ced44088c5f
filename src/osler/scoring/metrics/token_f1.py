"""Token F1: overlap of words between the answer given and the gold answer, as multisets or as sets."""

from functools import partial

from osler.scoring.overlap import KINDS, Counts, best_overlap, overlap
from osler.scoring.scorer import Metric

__all__ = ["METRIC", "overlap"]


def _variant(counts: Counts, name: str) -> Metric:
    return Metric(
        name=name,
        signature=f"token_f1/{counts}|tok:word-characters|case:lower|articles:kept|alternatives:best|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper="Rajpurkar et al. 2016, arXiv 1606.05250 (multiset; peers that use sets differ on repeated words)",
        kinds=KINDS,
        score=partial(best_overlap, part="f1", counts=counts),
        variants={c: _variant(c, f"token_f1/{c}") for c in ("multiset", "set")} if name == "token_f1" else {},
    )


METRIC = _variant("multiset", "token_f1")

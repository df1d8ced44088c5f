"""Token precision: the share of the answer's words that the gold answer has too, as multisets or as sets."""

from functools import partial

from osler.scoring.overlap import KINDS, Counts, best_overlap
from osler.scoring.scorer import Metric


def _variant(counts: Counts, name: str) -> Metric:
    return Metric(
        name=name,
        signature=f"token_precision/{counts}|tok:word-characters|case:lower|alternatives:best|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper="Rajpurkar et al. 2016, arXiv 1606.05250 (the precision half of its F1)",
        kinds=KINDS,
        score=partial(best_overlap, part="precision", counts=counts),
        variants={c: _variant(c, f"token_precision/{c}") for c in ("multiset", "set")}
        if name == "token_precision"
        else {},
    )


METRIC = _variant("multiset", "token_precision")

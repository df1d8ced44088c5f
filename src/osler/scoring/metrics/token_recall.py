"""Token recall: the share of the gold answer's words that the answer has too, as multisets or as sets."""

from functools import partial

from osler.scoring.overlap import KINDS, Counts, best_overlap
from osler.scoring.scorer import Metric


def _variant(counts: Counts, name: str) -> Metric:
    return Metric(
        name=name,
        signature=f"token_recall/{counts}|tok:word-characters|case:lower|alternatives:best|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper="Li et al. 2023, arXiv 2306.00890 calls the recall of open answers 'open' accuracy",
        kinds=KINDS,
        score=partial(best_overlap, part="recall", counts=counts),
        variants={c: _variant(c, f"token_recall/{c}") for c in ("multiset", "set")} if name == "token_recall" else {},
    )


METRIC = _variant("multiset", "token_recall")

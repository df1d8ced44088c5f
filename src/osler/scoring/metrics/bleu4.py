"""BLEU-4 of reports, counts summed over reports, in two named forms that differ in case.

bleu4/coco-corpus     words split at spaces, case kept, tiny constants keep the quotients finite (default)
bleu4/coco-corpus-lc  the same, lower-cased
"""

from functools import partial

from osler.schema.sample import Answer
from osler.scoring.ngrams import Tokenise, coco_bleu, corpus_sums, item_counts, lower_words, sentence_bleu
from osler.scoring.scorer import Metric, Sums

_EPSILON = 0.1


def sentence(parsed: str | None, answer: Answer, *, tokenise: Tokenise) -> float | None:
    """One report's smoothed score, for reading; the metric is the corpus value. None for what is no report."""
    if answer.kind != "text":
        return None
    return sentence_bleu(item_counts(parsed, answer, tokenise=tokenise, order=4), epsilon=_EPSILON)


def sums(parsed: str | None, answer: Answer, *, tokenise: Tokenise) -> Sums:
    """One report's part of the corpus sums."""
    return corpus_sums(item_counts(parsed, answer, tokenise=tokenise, order=4))


def _form(name: str, case: str, tokenise: Tokenise, full_name: str) -> Metric:
    return Metric(
        name=full_name,
        signature=f"bleu4/{name}|tok:split|case:{case}|agg:corpus|smooth:1e-15/1e-9|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper="Papineni et al. 2002, doi 10.3115/1073083.1073135",
        kinds=("text",),
        score=partial(sentence, tokenise=tokenise),
        sums=partial(sums, tokenise=tokenise),
        of_sums=partial(coco_bleu, order=4),
        variants={
            "coco-corpus": _form("coco-corpus", "mixed", str.split, "bleu4/coco-corpus"),
            "coco-corpus-lc": _form("coco-corpus-lc", "lower", lower_words, "bleu4/coco-corpus-lc"),
        }
        if full_name == "bleu4"
        else {},
    )


METRIC = _form("coco-corpus", "mixed", str.split, "bleu4")

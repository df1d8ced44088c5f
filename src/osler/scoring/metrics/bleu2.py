"""BLEU-2 of reports in two named forms.

bleu2/radcliq      sentence score of lower-cased words with full stops apart, a length without a match counting 0.1
                   matches: the form in which RadCliQ was fitted (default)
bleu2/coco-corpus  counts summed over reports, words split at spaces, tiny constants keep the quotients finite
"""

from functools import partial

from osler.schema.sample import Answer
from osler.scoring.ngrams import Tokenise, coco_bleu, corpus_sums, item_counts, report_words, sentence_bleu
from osler.scoring.scorer import Metric, Sums

_EPSILON = 0.1
_PAPER = "Papineni et al. 2002, doi 10.3115/1073083.1073135; Yu et al. 2023, doi 10.1016/j.patter.2023.100802"


def sentence(parsed: str | None, answer: Answer, *, tokenise: Tokenise) -> float | None:
    """One report's score; 0 for an unparsed answer, None for what is no report."""
    if answer.kind != "text":
        return None
    return sentence_bleu(item_counts(parsed, answer, tokenise=tokenise, order=2), epsilon=_EPSILON)


def sums(parsed: str | None, answer: Answer) -> Sums:
    """One report's part of the corpus sums."""
    return corpus_sums(item_counts(parsed, answer, tokenise=str.split, order=2))


_FORMS = {
    "radcliq": Metric(
        name="bleu2/radcliq",
        signature="bleu2/radcliq|tok:split-and-full-stops|case:lower|agg:mean|smooth:0.1-for-0|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper=_PAPER,
        kinds=("text",),
        score=partial(sentence, tokenise=report_words),
    ),
    "coco-corpus": Metric(
        name="bleu2/coco-corpus",
        signature="bleu2/coco-corpus|tok:split|case:mixed|agg:corpus|smooth:1e-15/1e-9|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper=_PAPER,
        kinds=("text",),
        score=partial(sentence, tokenise=str.split),
        sums=sums,
        of_sums=partial(coco_bleu, order=2),
    ),
}
METRIC = Metric(
    name="bleu2",
    signature=_FORMS["radcliq"].signature,
    range=(0.0, 1.0),
    paper=_PAPER,
    kinds=("text",),
    score=_FORMS["radcliq"].score,
    variants=_FORMS,
)

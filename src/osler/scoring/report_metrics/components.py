"""The four scores that RadCliQ is a line through, from what the extractors found."""

import numpy as np

from osler.scoring.ngrams import count, report_words, sentence_bleu
from osler.scoring.report_metrics.bertscore import Score, rescaled
from osler.scoring.report_metrics.pairs import pair_key
from osler.scoring.report_metrics.radcliq import Components
from osler.scoring.report_metrics.radgraph import radcliq_overlap
from osler.scoring.scorer import Extracted

_EPSILON = 0.1


def components(given: str, gold: str, extracted: Extracted) -> Components:
    """Of a report and its reference; all 0 where the report has no words."""
    if not given.strip():
        return Components(0.0, 0.0, 0.0, 0.0)
    vectors = [np.asarray(extracted.value("chexbert", text)["vector"], dtype=np.float64) for text in (given, gold)]
    return Components(
        radgraph=radcliq_overlap(extracted.value("radgraph", given), extracted.value("radgraph", gold)),
        bertscore=rescaled(Score(*extracted.value("bertscore", pair_key(given, gold)))).f1,
        semb=cosine(*vectors),
        bleu2=sentence_bleu(count(report_words(given), [report_words(gold)], 2), epsilon=_EPSILON),
    )


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """The cosine of two vectors; 0 where one of them has no length."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else 0.0

"""What a text says of a drawn film is true: the findings it affirms are those that were drawn.

Judges captions, checklists and reports by their final words, and other questions by their analysis where they have one.
"""

from collections.abc import Mapping

from osler.rl.reward import Reward, Said
from osler.schema.sample import passage
from osler.scoring.scorer import Metric


def judge(said: Said, metrics: Mapping[str, Metric]) -> float | None:
    """F1 of the findings; None for films that were not drawn and for answers without a text."""
    sample, metric = said.sample, metrics["phantom_findings"]
    if sample.provenance is None or sample.provenance.dataset != "phantom":
        return None
    if sample.answer.kind == "text":
        return metric.score(said.extraction.parsed, sample.answer)
    return metric.score(said.analysis or None, passage(sample.reasoning)) if sample.reasoning else None


REWARD = Reward(
    name="phantom_truth",
    metrics=("phantom_findings",),
    judge=judge,
    blind_to="sides, zones, sizes and counts; films that were not drawn",
)

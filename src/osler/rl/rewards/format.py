"""The reply has the form that was asked for: it ends by itself, thinks once where it is to think, and answers once."""

from collections.abc import Mapping

from osler.rl.reward import Reward, Said
from osler.scoring.scorer import Metric


def judge(said: Said, metrics: Mapping[str, Metric]) -> float | None:
    """1 for a reply from which one answer can be read, with one analysis if the question asks for one and else none."""
    del metrics
    finals = said.raw.count("<|channel|>final") or 1
    thoughts = said.raw.count("<|channel|>analysis") + said.raw.count("<think>")
    thinks = thoughts == 1 and bool(said.analysis) if said.sample.reasoning else thoughts == 0
    return float(said.extraction.status == "ok" and finals == 1 and thinks)


REWARD = Reward(name="format", judge=judge, blind_to="whether anything that is said is true")

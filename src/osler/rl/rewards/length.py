"""The reply keeps to its room: all of the reward up to half of it, then less and less; nothing where no answer is read.

After the soft punishment of overlong replies in DAPO (arXiv 2503.14476). A shorter reply than half earns no more, so
that nothing is gained by not thinking.
"""

from collections.abc import Mapping

from osler.rl.reward import Reward, Said
from osler.scoring.scorer import Metric


def judge(said: Said, metrics: Mapping[str, Metric]) -> float | None:
    """1 up to half of `max_tokens`, then a straight line down to 0 at all of it."""
    del metrics
    if said.extraction.status != "ok":
        return 0.0
    return min(1.0, max(0.0, 2 - 2 * said.num_tokens / said.max_tokens))


REWARD = Reward(name="length", judge=judge, blind_to="whether the words that were saved were needed")

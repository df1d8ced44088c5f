"""The report says what the reference says: RadGraph F1 at level `partial`. Needs `metric_weights.radgraph`."""

from osler.rl.reward import Reward

REWARD = Reward(
    name="report_radgraph",
    metrics=("radgraph_f1",),
    blind_to="what the reference leaves out, sizes and numbers, and words that RadGraph does not know",
)

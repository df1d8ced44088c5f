"""The report does not deny what the reference affirms, nor affirm what it denies. Needs `metric_weights.radgraph`."""

from osler.rl.reward import Reward

REWARD = Reward(
    name="report_negation",
    metrics=("radgraph_negation",),
    blind_to="findings that the report leaves out, so give it beside report_radgraph, never alone",
)

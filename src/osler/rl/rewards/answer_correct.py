"""The answer is right, by the metric of its kind: closed, choice, number, or an open answer word for word."""

from osler.rl.reward import Reward

REWARD = Reward(
    name="answer_correct",
    metrics=("closed_accuracy", "choice_accuracy", "number_within", "open_accuracy"),
    blind_to="how the answer was found: a guess that hits earns as much as one that was seen; long texts",
)

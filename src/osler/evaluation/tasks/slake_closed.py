"""SLAKE, closed questions of the test split, in the languages that were curated."""

from osler.evaluation.task import Task

TASK = Task(
    name="slake_closed",
    version="1",
    dataset="slake",
    kinds=("closed",),
    metrics=("closed_accuracy",),
    cluster="image",
    suffix={"closed": "Answer with one word."},
    subgroup="modality",
)

"""SLAKE, closed questions of the test split in both languages: 416 English, 420 Chinese."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="slake_closed",
    version="2",
    items=ItemList(836),
    kinds=("closed",),
    metrics=("closed_accuracy",),
    prompt="short_answer",
    dataset="slake",
    cluster="image",
    subgroup="modality",
)

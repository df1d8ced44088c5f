"""SLAKE, closed English questions of the test split: 355 yes or no, 61 of other words."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="slake_en_closed",
    version="1",
    items=ItemList(416),
    tags=("lang:en",),
    kinds=("closed",),
    metrics=("closed_accuracy",),
    prompt="short_answer",
    dataset="slake",
    cluster="image",
    subgroup="modality",
)

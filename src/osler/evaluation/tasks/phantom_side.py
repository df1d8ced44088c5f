"""Left or right: the side of a finding on drawn radiographs of unseen patients."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="phantom_side",
    version="1",
    dataset="phantom",
    items=ItemList(None, note="drawn: how many depends on the recipe"),
    cluster="patient",
    tasks=("phantom_side",),
    kinds=("closed",),
    metrics=("closed_accuracy",),
    max_new_tokens=16,
)

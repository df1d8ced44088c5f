"""Yes/no questions about drawn radiographs of unseen patients."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="phantom_closed",
    version="1",
    dataset="phantom",
    items=ItemList(None, note="drawn: how many depends on the recipe"),
    cluster="patient",
    tasks=("phantom_closed",),
    kinds=("closed",),
    metrics=("closed_accuracy",),
    max_new_tokens=16,
)

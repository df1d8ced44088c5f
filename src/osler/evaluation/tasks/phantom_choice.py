"""Multiple-choice questions about drawn radiographs of unseen patients; what is seen is said before the letter."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="phantom_choice",
    version="2",
    dataset="phantom",
    items=ItemList(None, note="drawn: how many depends on the recipe"),
    cluster="patient",
    tasks=("phantom_choice",),
    kinds=("choice",),
    metrics=("choice_accuracy",),
    max_new_tokens=32,
    reasoning=True,
)

"""How many nodules are drawn: right is the same number, whether asked as a number or as one of a few words."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="phantom_count",
    version="1",
    dataset="phantom",
    items=ItemList(None, note="drawn: how many depends on the recipe"),
    cluster="patient",
    tasks=("phantom_count",),
    kinds=(
        "closed",
        "number",
    ),
    metrics=(
        "number_within",
        "closed_accuracy",
    ),
    max_new_tokens=16,
)

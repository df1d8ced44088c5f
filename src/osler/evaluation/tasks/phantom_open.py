"""Short free answers about drawn radiographs of unseen patients."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="phantom_open",
    version="1",
    dataset="phantom",
    items=ItemList(None, note="drawn: how many depends on the recipe"),
    cluster="patient",
    tasks=("phantom_open",),
    kinds=("open",),
    metrics=(
        "exact_match",
        "token_f1",
        "bleu1",
    ),
    max_new_tokens=64,
)

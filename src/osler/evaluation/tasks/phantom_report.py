"""Reports of drawn radiographs: overlap with the drawn report's words, which is no measure of truth."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="phantom_report",
    version="1",
    dataset="phantom",
    items=ItemList(None, note="drawn: how many depends on the recipe"),
    cluster="patient",
    tasks=("phantom_report",),
    kinds=("text",),
    metrics=(
        "token_f1",
        "bleu1",
        "bleu1/coco-corpus",
    ),
    max_new_tokens=400,
)

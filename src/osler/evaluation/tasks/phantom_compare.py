"""What changed between two drawn studies of one patient: two images a question."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="phantom_compare",
    version="1",
    dataset="phantom",
    items=ItemList(None, note="drawn: how many depends on the recipe"),
    cluster="patient",
    tasks=("phantom_compare",),
    kinds=(
        "closed",
        "open",
        "choice",
    ),
    metrics=(
        "exact_match",
        "closed_accuracy",
        "choice_accuracy",
    ),
    max_new_tokens=32,
)

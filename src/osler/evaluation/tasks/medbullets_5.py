"""Medbullets: questions in the style of licensing steps 2 and 3 with 5 options."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="medbullets_5",
    version="1",
    dataset="medbullets",
    tags=("options:5",),
    items=ItemList(
        308,
        note="308 are published; some published scores are over 298 of them, chosen by a rule that is not",
    ),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

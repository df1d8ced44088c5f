"""OpenMedReason-Bench: the letters given to its test questions. How well a model reasons to them is another score."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="open_med_reason_bench",
    version="1",
    dataset="open_med_reason",
    items=ItemList(1150),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

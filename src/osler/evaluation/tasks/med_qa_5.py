"""MedQA, the US test questions with 5 options. The right letter differs from that of the other form."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="med_qa_5",
    version="1",
    dataset="med_qa",
    tags=("options:5",),
    items=ItemList(1273),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

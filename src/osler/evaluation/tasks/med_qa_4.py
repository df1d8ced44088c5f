"""MedQA, the US test questions with 4 options. The right letter differs from that of the other form."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="med_qa_4",
    version="1",
    dataset="med_qa",
    tags=("options:4",),
    items=ItemList(1273),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

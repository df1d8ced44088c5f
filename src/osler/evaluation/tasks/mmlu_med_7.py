"""MMLU, 7 medical subjects, test split: the customary six and nutrition."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="mmlu_med_7",
    version="1",
    dataset="mmlu_med",
    tags=("subjects:7",),
    items=ItemList(1395),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

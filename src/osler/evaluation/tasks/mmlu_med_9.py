"""MMLU, 9 medical subjects, test split: the customary six, nutrition, high-school biology and virology."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="mmlu_med_9",
    version="1",
    dataset="mmlu_med",
    tags=("subjects:9",),
    items=ItemList(1871),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

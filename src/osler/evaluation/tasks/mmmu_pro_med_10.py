"""MMMU-Pro, Health and Medicine, with 10 options: the five medical subjects of the standard form."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="mmmu_pro_med_10",
    version="1",
    dataset="mmmu_pro_med",
    tasks=("choice_qa_options_10",),
    items=ItemList(286),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

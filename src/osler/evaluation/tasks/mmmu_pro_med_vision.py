"""MMMU-Pro, Health and Medicine, question and options as one picture: the five medical subjects."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="mmmu_pro_med_vision",
    version="1",
    dataset="mmmu_pro_med",
    tasks=("choice_qa_vision",),
    items=ItemList(286),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

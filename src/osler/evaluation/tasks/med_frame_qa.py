"""MedFrameQA: choice questions that compare two to five frames of one teaching video."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="med_frame_qa",
    version="1",
    dataset="med_frame_qa",
    items=ItemList(2851),
    cluster="video",
    subgroup="modality",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

"""VQA-RAD, questions marked closed (yes, no and a few others), official test split, which shares images with train."""

from osler.evaluation.task import Task

TASK = Task(
    name="vqa_rad_closed",
    version="1",
    dataset="vqa_rad",
    kinds=("closed",),
    metrics=("closed_accuracy",),
    cluster="image",
    suffix={"closed": "Answer with one word."},
)

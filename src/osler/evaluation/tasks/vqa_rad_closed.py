"""VQA-RAD, questions marked closed (yes, no and a few others), official test split, which shares images with train.

The hub's files mark nothing: of them only the 251 questions with the answer yes or no are read as closed.
"""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="vqa_rad_closed",
    version="1",
    dataset="vqa_rad",
    items=ItemList(272, note="272 questions are marked closed in the files of osf.io; 251 have the answer yes or no"),
    kinds=("closed",),
    metrics=("closed_accuracy", "macro_f1/occurring"),
    cluster="image",
    prompt="short_answer",
)

"""SLAKE, all Chinese questions of the test split: 96 images. 70 of them are in the English train split."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="slake_zh",
    version="1",
    items=ItemList(1033),
    tags=("lang:zh",),
    kinds=("closed", "open"),
    metrics=("exact_match", "closed_accuracy"),
    prompt="short_answer_zh",
    max_new_tokens=64,
    dataset="slake",
    cluster="image",
    subgroup="modality",
)

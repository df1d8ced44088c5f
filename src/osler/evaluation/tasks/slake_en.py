"""SLAKE, all English questions of the test split: 96 images. 72 of them are in the Chinese train split."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="slake_en",
    version="1",
    items=ItemList(1061),
    tags=("lang:en",),
    kinds=("closed", "open"),
    metrics=("exact_match", "closed_accuracy", "token_f1", "token_recall", "bleu1"),
    prompt="short_answer",
    max_new_tokens=64,
    dataset="slake",
    cluster="image",
    subgroup="modality",
)

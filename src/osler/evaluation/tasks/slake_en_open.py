"""SLAKE, open English questions of the test split."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="slake_en_open",
    version="1",
    items=ItemList(645),
    tags=("lang:en",),
    kinds=("open",),
    metrics=("exact_match", "open_accuracy", "token_f1", "token_recall", "bleu1"),
    prompt="short_answer",
    max_new_tokens=64,
    dataset="slake",
    cluster="image",
    subgroup="modality",
)

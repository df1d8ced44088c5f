"""SLAKE, open questions of the test split in both languages: 645 English, 613 Chinese."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="slake_open",
    version="2",
    items=ItemList(1258),
    kinds=("open",),
    metrics=("exact_match", "open_accuracy", "token_f1", "token_recall", "bleu1"),
    prompt="short_answer",
    max_new_tokens=64,
    dataset="slake",
    cluster="image",
    subgroup="modality",
)

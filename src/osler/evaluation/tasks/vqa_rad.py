"""VQA-RAD, all questions of the official test split. Its train and test splits share images."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="vqa_rad",
    version="1",
    dataset="vqa_rad",
    items=ItemList(451),
    kinds=("closed", "open"),
    metrics=("exact_match", "closed_accuracy", "token_f1", "token_recall", "bleu1"),
    cluster="image",
    prompt="short_answer",
    max_new_tokens=64,
)

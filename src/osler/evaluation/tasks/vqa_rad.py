"""VQA-RAD, all questions of the official test split. Its train and test splits share images."""

from osler.evaluation.task import Task

TASK = Task(
    name="vqa_rad",
    version="1",
    dataset="vqa_rad",
    kinds=("closed", "open"),
    metrics=("exact_match", "token_f1", "bleu1"),
    cluster="image",
    suffix={"closed": "Answer with one word.", "open": "Answer with a short phrase."},
    max_new_tokens=64,
)

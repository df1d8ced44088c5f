"""PathVQA, all questions of the test split."""

from osler.evaluation.task import Task

TASK = Task(
    name="path_vqa",
    version="1",
    dataset="path_vqa",
    kinds=("closed", "open"),
    metrics=("exact_match", "token_f1", "bleu1", "bleu1/sonsbeek-char"),
    cluster="image",
    suffix={"closed": "Answer yes or no.", "open": "Answer with a short phrase."},
    max_new_tokens=64,
)

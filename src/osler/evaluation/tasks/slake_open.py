"""SLAKE, open questions of the test split, in the languages that were curated."""

from osler.evaluation.task import Task

TASK = Task(
    name="slake_open",
    version="1",
    dataset="slake",
    kinds=("open",),
    metrics=("exact_match", "token_f1", "bleu1"),
    cluster="image",
    suffix={"open": "Answer with a short phrase."},
    max_new_tokens=64,
    subgroup="modality",
)

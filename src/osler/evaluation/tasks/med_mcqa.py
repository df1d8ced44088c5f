"""MedMCQA: four-option questions of medical entrance examinations. The published test split has no labels."""

from osler.evaluation.task import Task

TASK = Task(
    name="med_mcqa",
    version="1",
    dataset="med_mcqa",
    split="validation",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    suffix={"choice": "Answer with the letter of one option."},
)

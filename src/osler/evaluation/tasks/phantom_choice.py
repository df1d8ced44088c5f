"""Multiple-choice questions about drawn radiographs of unseen patients."""

from osler.evaluation.task import Task

TASK = Task(
    name="phantom_choice",
    version="1",
    dataset="phantom",
    tasks=("phantom_choice",),
    kinds=("choice",),
    metrics=("choice_accuracy",),
    max_new_tokens=16,
)

"""Yes/no questions about drawn radiographs of unseen patients."""

from osler.evaluation.task import Task

TASK = Task(
    name="phantom_closed",
    version="1",
    dataset="phantom",
    tasks=("phantom_closed",),
    kinds=("closed",),
    metrics=("closed_accuracy",),
    max_new_tokens=16,
)

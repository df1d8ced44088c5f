"""Multiple-choice questions about drawn radiographs of unseen patients; what is seen is said before the letter."""

from osler.evaluation.task import Task

TASK = Task(
    name="phantom_choice",
    version="2",
    dataset="phantom",
    tasks=("phantom_choice",),
    kinds=("choice",),
    metrics=("choice_accuracy",),
    max_new_tokens=32,
    reasoning=True,
)

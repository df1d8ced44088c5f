"""MedMCQA: four-option questions of medical entrance examinations. The published test split has no labels."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="med_mcqa",
    version="1",
    dataset="med_mcqa",
    split="validation",
    items=ItemList(
        4179,
        ids_sha256="e5095cc6de38e4e8e2c450c4f3c096cd1dfed96ae1cdd082135b9db355a28e65",
        note="of the 4,183 published questions 4 cannot be asked: two of their options have the right one's words",
    ),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

"""MMLU, the customary 6 medical subjects, test split.

Anatomy, clinical knowledge, college biology, college medicine, medical genetics, professional medicine.
"""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="mmlu_med_6",
    version="1",
    dataset="mmlu_med",
    tags=("subjects:6",),
    items=ItemList(1089, ids_sha256="7e9211f3cc42900b87d7212c35659e70b2ea8b1bf8eb3ab7249fa864a6c71b2f"),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

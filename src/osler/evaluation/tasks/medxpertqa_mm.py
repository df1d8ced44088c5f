"""MedXpertQA, multimodal part: five-option questions of specialist exams with images."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="medxpertqa_mm",
    version="1",
    dataset="medxpertqa_mm",
    items=ItemList(2000),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

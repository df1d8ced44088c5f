"""MedXpertQA, text part: ten-option questions of specialist exams."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="medxpertqa_text",
    version="1",
    dataset="medxpertqa_text",
    items=ItemList(2450),
    cluster="question",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

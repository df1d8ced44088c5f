"""MMMU, Health and Medicine: the published dev and validation questions, 175; the test has no published answers."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="mmmu_med",
    version="1",
    dataset="mmmu_med",
    split="validation",
    items=ItemList(175, note="dev 25 and validation 150, inferred from the published number 175"),
    kinds=("choice", "open"),
    metrics=("choice_accuracy", "exact_match"),
    cluster="question",
    prompt="letter_or_phrase",
)

"""PMC-VQA, the 2,000 test questions of the first release that were checked by hand (`test_clean.csv`)."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="pmc_vqa_clean",
    version="1",
    dataset="pmc_vqa",
    items=ItemList(2000),
    cluster="article",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

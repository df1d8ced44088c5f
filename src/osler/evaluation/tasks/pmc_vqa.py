"""PMC-VQA, test questions of the second release (`test_2.csv`), about single figures. Train and test share articles."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="pmc_vqa",
    version="1",
    dataset="pmc_vqa",
    items=ItemList(33430, note="counted in a mirror of test_2.csv"),
    cluster="article",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

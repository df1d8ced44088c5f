"""OmniMedVQA, the open-access part, all questions: two to four options, made from the labels of 42 sets."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="omni_med_vqa",
    version="1",
    dataset="omni_med_vqa",
    items=ItemList(88996, note="88,996 by most counts of the open-access part; 89,195 by some"),
    cluster="image",
    subgroup="modality",
    kinds=("choice",),
    metrics=("choice_accuracy",),
    prompt="letter",
)

"""Patient-trial matching on 4,936 pairs: eligible, partially eligible, not eligible, or not enough information."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="patient_trial",
    version="1",
    dataset="patient_trial",
    tags=("subset:4936",),
    items=ItemList(4936, note="our sub-sample of 4,936: the published one has no list"),
    metrics=("choice_accuracy", "macro_f1/options"),
    tasks=("patient_trial",),
    kinds=("choice",),
    cluster="patient",
    prompt="letter",
    max_new_tokens=16,
)

"""Patient-trial matching on the same pairs, with TREC's excluded patients as not eligible."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="patient_trial_by_meaning",
    version="1",
    dataset="patient_trial_by_meaning",
    tags=("subset:4936",),
    items=ItemList(4936, note="our sub-sample of 4,936: the published one has no list"),
    metrics=("choice_accuracy", "macro_f1/options"),
    tasks=("patient_trial",),
    kinds=("choice",),
    cluster="patient",
    prompt="letter",
    max_new_tokens=16,
)

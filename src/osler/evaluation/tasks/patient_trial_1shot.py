"""Patient-trial matching on the same 4,936 pairs after one answered pair, of a patient about whom nothing is asked."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="patient_trial_1shot",
    version="1",
    dataset="patient_trial",
    tags=("subset:4936",),
    items=ItemList(4936, note="our sub-sample of 4,936: the published one has no list"),
    metrics=("choice_accuracy", "macro_f1/options"),
    num_shots=1,
    shot_tags=(),
    tasks=("patient_trial",),
    kinds=("choice",),
    cluster="patient",
    prompt="letter",
    max_new_tokens=16,
)

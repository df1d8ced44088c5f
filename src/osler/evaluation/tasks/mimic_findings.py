"""MIMIC-CXR, findings of all views and the prior study, test split: studies with several views or a prior one."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="mimic_findings",
    version="1",
    dataset="mimic_cxr_longitudinal",
    tasks=("findings",),
    items=ItemList(None, note="published scores are over 2,231 studies, of which no list exists"),
    kinds=("text",),
    metrics=(
        "radgraph_f1/partial",
        "ratescore/long",
        "radcliq/v1",
        "chexbert_f1/micro14",
        "chexbert_f1/macro14",
        "bertscore/rescaled",
        "rouge/l",
        "bleu1",
        "bleu4",
    ),
    cluster="patient",
    max_new_tokens=512,
)

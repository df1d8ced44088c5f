"""MIMIC-CXR, the impression from a report's findings, test split. No images."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="mimic_impression",
    version="1",
    dataset="mimic_cxr_longitudinal",
    tasks=("impression",),
    items=ItemList(None, note="published scores are over 1,564 reports, of which no list exists"),
    kinds=("text",),
    metrics=("ratescore/long", "radgraph_f1/partial", "chexbert_f1/micro14", "bertscore/rescaled", "rouge/l", "bleu1"),
    cluster="patient",
    max_new_tokens=256,
)

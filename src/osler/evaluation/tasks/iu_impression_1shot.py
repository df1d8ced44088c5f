"""IU X-ray, the impression from a report's findings, after one answered report. The customary test split."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="iu_impression_1shot",
    version="1",
    dataset="iu_xray",
    tasks=("impression",),
    items=ItemList(None, note="how many of the 590 test studies have an impression is not published"),
    kinds=("text",),
    metrics=("ratescore/long", "radgraph_f1/partial", "chexbert_f1/micro14", "bertscore/rescaled", "rouge/l", "bleu1"),
    cluster="study",
    max_new_tokens=256,
    num_shots=1,
)

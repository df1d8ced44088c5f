"""IU X-ray, findings from all views, the customary test split of 590 studies."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="iu_findings",
    version="1",
    dataset="iu_xray",
    tasks=("findings",),
    items=ItemList(590, note="590 studies in annotation.json"),
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
    cluster="study",
    max_new_tokens=512,
)

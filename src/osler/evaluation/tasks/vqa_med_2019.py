"""VQA-Med 2019, test split: 125 questions each on modality, plane, organ and abnormality. Alternative answers count."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="vqa_med_2019",
    version="1",
    dataset="vqa_med_2019",
    items=ItemList(500, ids_sha256="ab9b222d47ed92b96f4b54ba454f0d84f1df19ff56d2e2616194eb67148aa4ba"),
    kinds=("closed", "open"),
    metrics=(
        "exact_match",
        "closed_accuracy",
        "token_f1",
        "token_recall",
        "bleu1",
        "bleu1/coco-corpus",
        "bleu1/sacre-13a-lc",
        "bleu1/sonsbeek-char",
    ),
    cluster="image",
    prompt="short_answer",
    max_new_tokens=64,
)

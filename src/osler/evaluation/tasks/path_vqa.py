"""PathVQA, all questions of the test split."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="path_vqa",
    version="1",
    dataset="path_vqa",
    items=ItemList(6719, note="6,719 questions in the hub's files, 6,761 in the first release"),
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
    prompt="yes_no_or_phrase",
    max_new_tokens=64,
)

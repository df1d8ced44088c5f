"""VQA-RAD, questions marked open, official test split, which shares images with train."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="vqa_rad_open",
    version="1",
    dataset="vqa_rad",
    items=ItemList(179, note="179 questions are marked open in the files of osf.io"),
    kinds=("open",),
    metrics=("exact_match", "open_accuracy", "token_f1", "token_recall", "bleu1"),
    cluster="image",
    prompt="short_answer",
    max_new_tokens=64,
)

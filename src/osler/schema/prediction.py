"""Prediction: what a model said to one item, whether it could be parsed, and what it cost."""

from typing import Final, Literal

from osler.schema.base import Record
from osler.schema.sample import Answer

PREDICTION_VERSION: Final = 1

Status = Literal["ok", "unparsed", "refused", "truncated", "error"]
Condition = Literal[
    "image", "blind", "shuffled",
    "order1", "order2", "order3", "order4", "order5", "order6", "order7", "order8", "order9",
]  # fmt: skip


class Prediction(Record):
    """One model's answer to one item under one condition.

    condition: `image` is the real run, `blind` withholds the image, `shuffled` shows another item's,
        `orderN` shows the options turned by N letters (`gold` is then turned too).
    raw is all the model wrote, final its final channel, parsed the extracted answer (None unless `ok`).
    cache_key tells whether a later run may take the answer; files from before it was kept hold "", which fits none.
    """

    schema_version: Literal[1] = PREDICTION_VERSION
    item_id: str
    task: str
    condition: Condition = "image"
    cluster: str
    prompt_sha256: str
    image_sha256s: tuple[str, ...] = ()
    raw: str
    final: str
    status: Status
    parsed: str | None = None
    gold: Answer
    latency_ms: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    error: str = ""
    cache_key: str = ""

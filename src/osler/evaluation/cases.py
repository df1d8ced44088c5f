"""Cases: a few dozen answers with their images, right, wrong and unparsed, chosen by a rule and not by eye."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture

from osler.core.errors import InputError
from osler.core.files import atomic_write, sha256_json, write_json
from osler.evaluation.conditions import Ask
from osler.evaluation.items import Item
from osler.media.image import decode_image, encode_png8
from osler.schema.media import MediaRef
from osler.schema.prediction import Prediction
from osler.scoring.scorer import Metric
from osler.store.shards import Store

WANTED = {"right": 2, "wrong": 2, "unparsed": 1}
MAX_SIDE = 512


def write_cases(
    out: Path,
    predictions: Sequence[Prediction],
    asks: Sequence[Ask],
    *,
    metrics: Mapping[str, Metric],
    stores: Sequence[Store],
    seed: int,
) -> int:
    """Write `cases.json` and `cases/NUMBER-IMAGE.png`; returns how many cases there are.

    Args:
        out: the command's output folder.
        predictions: what was said, in the order of `asks`.
        asks: what was asked.
        metrics: by task, the metric that tells right from wrong, with its extractors where it needs any.
        stores: where the images lie.
        seed: which cases are taken among those of one outcome.
    """
    said = {ask.key: (ask, prediction) for ask, prediction in zip(asks, predictions, strict=True)}
    cases: list[dict[str, Any]] = []
    for task, metric in metrics.items():
        own = [ask for ask in asks if ask.item.task == task and ask.condition == "image"]
        for outcome, ask in _choose(own, {key: p for key, (_, p) in said.items()}, metric, seed):
            cases.append(_case(len(cases), outcome, ask, stores) | {"predictions": _said(ask, said, metric)})
            cases[-1] |= _write_images(out, cases[-1]["number"], ask.item, stores)
    write_json(out / "cases.json", cases)
    return len(cases)


def thumbnail(data: bytes, shown_as: MediaRef) -> bytes:
    """An 8-bit PNG of an image as the model's processor would see it, its longer side at most MAX_SIDE pixels."""
    pixels = decode_image(data, shown_as)
    if max(pixels.shape[:2]) > MAX_SIDE:
        picture = Picture.fromarray(pixels)
        picture.thumbnail((MAX_SIDE, MAX_SIDE))
        pixels = np.asarray(picture)
    gray = bool((pixels == pixels[:, :, :1]).all())
    return encode_png8(np.ascontiguousarray(pixels[:, :, 0] if gray else pixels))


def _choose(asks: Sequence[Ask], said: dict[Any, Prediction], metric: Metric, seed: int) -> list[tuple[str, Ask]]:
    """The first of each outcome in an order drawn from the seed, one a cluster as long as clusters last."""
    order = sorted(asks, key=lambda ask: sha256_json([seed, ask.item.task, ask.item.id]))
    chosen: list[tuple[str, Ask]] = []
    for outcome, wanted in WANTED.items():
        found = [ask for ask in order if _outcome(said[ask.key], metric) == outcome]
        first = list({ask.item.cluster: ask for ask in reversed(found)}.values())[::-1]
        rest = [ask for ask in found if ask not in first]
        chosen += [(outcome, ask) for ask in [*first, *rest][:wanted]]
    return chosen


def _outcome(prediction: Prediction, metric: Metric) -> str:
    """Right is what scores nearer to the best than to what no answer scores."""
    if prediction.status == "error":
        return "error"
    if prediction.parsed is None:
        return "unparsed"
    score, nothing = metric.score(prediction.parsed, prediction.gold), metric.score(None, prediction.gold)
    if score is None or nothing is None:
        return "unmeasured"
    best = max(metric.range) if metric.better == "higher" else min(metric.range)
    return "right" if abs(best - score) <= abs(score - nothing) else "wrong"


def _said(ask: Ask, said: dict[Any, tuple[Ask, Prediction]], metric: Metric) -> dict[str, Any]:
    """What was said under each condition; for `shuffled` also whose images were shown."""
    answers: dict[str, Any] = {}
    for condition in ("image", "blind", "shuffled"):
        found = said.get((condition, ask.item.task, ask.item.id))
        if found:
            other, prediction = found
            answers[condition] = prediction.model_dump(include={"raw", "final", "status", "parsed"})
            answers[condition]["correct"] = {"right": True, "wrong": False}.get(_outcome(prediction, metric))
            if condition == "shuffled" and other.shown:
                answers[condition]["shown_item_id"] = other.shown.id
    return answers


def _case(number: int, outcome: str, ask: Ask, stores: Sequence[Store]) -> dict[str, Any]:
    item = ask.item
    return {
        "number": number,
        "task": item.task,
        "item_id": item.id,
        "outcome": outcome,
        "question": item.sample.question,
        "answer_kind": item.sample.answer.kind,
        "options": list(item.sample.answer.options),
        "gold": item.sample.answer.letter if item.sample.answer.kind == "choice" else item.sample.answer.text,
        "gold_text": item.sample.answer.text,
        "store": str(stores[item.store].folder),
        "row": {k: item.row[k] for k in ("shard", "key", "position", "media_names", "media_offsets", "media_sizes")},
    }


def _write_images(out: Path, number: int, item: Item, stores: Sequence[Store]) -> dict[str, Any]:
    """The case's image files; an image that cannot be shown is named with the reason."""
    names, failed = [], []
    for index, (ref, data) in enumerate(zip(item.sample.media, stores[item.store].media(item.row), strict=True)):
        name = f"cases/{number}-{index}.png"
        try:
            png = thumbnail(data, ref)
        except InputError as error:
            failed.append({"image": index, "reason": str(error)})
            continue
        with atomic_write(out / name) as file:
            file.write(png)
        names.append(name)
    return {"images": names, "images_not_shown": failed}

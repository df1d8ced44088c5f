"""A small set with rubrics, answers of three models to it, and a judge that answers by rules."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from chat_server import words
from osler.evaluation.journal import write_predictions
from osler.media.image import encode_png8
from osler.schema.prediction import Prediction
from osler.schema.sample import Provenance, RubricUnit, Sample, choice, image, user
from osler.store.record import Blob, stored_record
from osler.store.shards import write_shard

OPTIONS = ("effusion", "edema")
NUM_ITEMS = 6
AXES = ("perception", "knowledge", "rationale")


def rubric() -> tuple[RubricUnit, ...]:
    """Two units an axis: claims P1, P2, K1, ..."""
    return tuple(
        RubricUnit(
            axis=axis,
            id=f"{axis[0]}{number}",
            claim=f"claim {axis[0].upper()}{number}",
            presence_question="Is it said?",
            correctness_question="Is it right?",
        )
        for axis in AXES
        for number in (1, 2)
    )


def sample(number: int) -> Sample:
    return Sample(
        id=f"item-{number}",
        turns=(user(image("a.png"), f"What is seen in {number}?\nA. effusion\nB. edema"),),
        answer=choice("effusion", OPTIONS),
        task="choice_qa",
        group=f"article{number // 2}",
        rubric=rubric(),
        provenance=Provenance(dataset="open_med_reason", record_id=str(number), licence="CC-BY-4.0"),
    )


@pytest.fixture
def data(tmp_path) -> Path:
    png = encode_png8(np.full((8, 8), 90, np.uint8))
    records = [
        stored_record(f"r{number}", [sample(number)], {"a.png": Blob(png, "png", 8, 8)}) for number in range(NUM_ITEMS)
    ]
    write_shard(tmp_path / "data", "test", 0, records=records, estimate=lambda sample: (8, 1))
    return tmp_path / "data"


def predictions(raws: list[str], **changes) -> list[Prediction]:
    return [
        Prediction(
            item_id=f"item-{number}",
            task="open_med_reason_bench",
            cluster=f"article{number // 2}",
            prompt_sha256="0",
            raw=raw,
            final=raw,
            gold=sample(number).answer,
            **{"status": "ok", **changes},
        )
        for number, raw in enumerate(raws)
    ]


@pytest.fixture
def answered(tmp_path):
    """Write answers of a model; returns the file."""

    def write(name: str, raws: list[str], **changes) -> Path:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        write_predictions(folder / "predictions.jsonl", predictions(raws, **changes))
        return folder / "predictions.jsonl"

    return write


def rule_judge(body: dict) -> str:
    """`P1=2/1` in a trace: presence 2, correctness 1. Of two answers the one with more `good` is better."""
    text = words(body)
    if "<left>" in text:
        left, right = (len(re.findall("good", part)) for part in re.split("<right>", text)[:2])
        if left == right:
            return json.dumps({"reason": "same", "verdict": "tie" if left else "both_bad"})
        return json.dumps({"reason": "more", "verdict": "left" if left > right else "right"})
    claim = re.search(r"claim (\w+)", text)[1]
    said = re.search(rf"{claim}=(\d)/(-?\d)", text.partition("<candidate>")[2])
    if "presence" in body["messages"][0]["content"]:
        return json.dumps({"reason": "r", "presence": int(said[1]) if said else 0})
    return json.dumps({"reason": "r", "correctness": int(said[2])})

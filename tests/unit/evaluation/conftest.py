"""A small drawn world for the evaluation's tests: 8 patients, 2 films each, 3 questions a film."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from osler.infer.generator import Reply, Request
from osler.media.image import encode_png8
from osler.schema.sample import Provenance, Sample, choice, closed, image, user
from osler.store.record import Blob, stored_record
from osler.store.shards import Store, write_shard

OPTIONS = ("effusion", "edema", "nodule")
Answers = Callable[[Request], str]


def film(patient: int, study: int) -> bytes:
    """A PNG of its own for each film."""
    return encode_png8(np.full((8, 8), 10 * patient + study, np.uint8))


def samples(patient: int, study: int, split: str) -> list[Sample]:
    ref = image("a.png")
    name = f"{split}-{patient}-{study}"
    finding = OPTIONS[(patient + study) % 3]
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip("ABC", OPTIONS, strict=True))
    asked = [
        ("phantom_closed", "Is the heart wide?", closed("yes" if patient % 4 else "no")),
        ("phantom_closed", "Is there an effusion?", closed("yes" if finding == "effusion" else "no")),
        ("phantom_choice", f"What is seen?\n{listed}", choice(finding, OPTIONS)),
    ]
    return [
        Sample(
            id=f"{name}-q{number}",
            turns=(user(ref, question),),
            answer=answer,
            task=task,
            group=f"p{patient}",
            modality="x-ray",
            provenance=Provenance(dataset="phantom", record_id=name, licence="CC0-1.0"),
        )
        for number, (task, question, answer) in enumerate(asked)
    ]


def write_store(folder: Path, splits: Sequence[str] = ("train", "test"), num_patients: int = 8) -> Path:
    for split in splits:
        records = [
            stored_record(f"{split}-{p}-{s}", samples(p, s, split), {"a.png": Blob(film(p, s), "png", 8, 8)})
            for p in range(num_patients)
            for s in range(2)
        ]
        write_shard(folder, split, 0, records=records, estimate=lambda sample: (8, 1))
    return folder


class FakeBackend:
    """Answers by a function; counts what it was asked and may fail on some calls."""

    name = "fake"

    def __init__(self, answer: Answers, *, fail_on: Sequence[int] = (), stop_after: int | None = None) -> None:
        self.answer = answer
        self.fail_on = fail_on
        self.stop_after = stop_after
        self.batches: list[list[str]] = []

    def generate(self, requests: Sequence[Request]) -> list[Reply]:
        call = len(self.batches)
        if call == self.stop_after:
            raise KeyboardInterrupt
        self.batches.append([request.item_id for request in requests])
        if call in self.fail_on:
            raise RuntimeError("out of memory")
        return [Reply(self.answer(request), 10, 1, 0.5 * call, finished=True) for request in requests]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a train and a test split."""
    return write_store(tmp_path / "data")


@pytest.fixture
def store(data: Path) -> Store:
    return Store(data)


@pytest.fixture
def fake() -> type[FakeBackend]:
    return FakeBackend


@pytest.fixture
def make_store() -> Callable[..., Path]:
    return write_store

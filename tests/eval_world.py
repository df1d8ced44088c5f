"""A folder of drawn films and a tiny untrained model, for tests and benchmarks that run whole evaluations."""

from pathlib import Path

import numpy as np

from osler.core.rng import generator
from osler.media.image import encode_png8
from osler.schema.sample import Answer, Provenance, Sample, choice, closed, image, passage, user
from osler.store.record import Blob, stored_record
from osler.store.shards import write_shard

PX = 96
FINDINGS = ("effusion", "edema", "nodule")


def film(number: int) -> bytes:
    """A PNG of noise around a gray of its own."""
    noise = generator(0, "film", number).normal(60 + 20 * (number % 8), 12, (PX, PX))
    return encode_png8(noise.clip(0, 255).astype(np.uint8))


def film_samples(number: int, split: str) -> list[Sample]:
    """Three questions about film `number`; two films make a patient."""
    finding = FINDINGS[number % 3]
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip("ABC", FINDINGS, strict=True))
    asked: list[tuple[str, str, Answer]] = [
        ("phantom_closed", "Is the heart wide?", closed("yes" if number % 4 else "no")),
        ("phantom_choice", f"What is seen?\n{listed}", choice(finding, FINDINGS)),
        ("phantom_report", "Describe the film.", passage(f"There is {finding}. The heart is of normal size.")),
    ]
    return [
        Sample(
            id=f"{split}-{number}-{task}",
            turns=(user(image("a.png"), question),),
            answer=answer,
            task=task,
            group=f"{split}{number // 2}",
            modality="x-ray",
            provenance=Provenance(dataset="phantom", record_id=f"{split}-{number}", licence="CC0-1.0"),
        )
        for task, question, answer in asked
    ]


def build_films(folder: Path, *, num_train: int = 6, num_test: int = 12) -> Path:
    """Shards of films below `folder`."""
    for split, count, first in (("train", num_train, 0), ("test", num_test, 1000)):
        records = [
            stored_record(f"{split}-{n}", film_samples(n, split), {"a.png": Blob(film(n), "png", PX, PX)})
            for n in range(first, first + count)
        ]
        write_shard(folder, split, 0, records=records, estimate=lambda sample: (8, 1))
    return folder


def build_model(folder: Path) -> Path:
    """The tiny family, untrained, saved below `folder`."""
    from osler.model import checkpoint
    from osler.model.families.tiny import FAMILY
    from osler.model.prompt import conversation_text

    texts = [conversation_text(sample) for number in range(20) for sample in film_samples(number, "train")]
    model, processing = FAMILY.build(texts, seed=0)
    checkpoint.save(model.eval(), processing, folder)
    return folder

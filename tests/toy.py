"""A drawn toy world for tests: one bright blob per picture, and questions about where it is."""

from pathlib import Path

import numpy as np

from osler.core.rng import generator
from osler.media.image import encode_png8
from osler.schema.media import MaskRef
from osler.schema.sample import Provenance, Sample, choice, closed, image, passage, user
from osler.store.record import Blob, StoredRecord, stored_record
from osler.store.shards import Store, write_shard

PX = 96
OPTIONS = ("upper left", "upper right", "lower left", "lower right")
PROVENANCE = Provenance(dataset="toy", record_id="0", licence="CC0-1.0")


def picture(number: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Pixels uint8 [PX, PX], mask of the blob, and where it lies."""
    random = generator(0, "toy", number)
    corner = int(random.integers(4))
    rows, cols = np.mgrid[0:PX, 0:PX]
    centre_row = PX * (0.25 + 0.5 * (corner // 2)) + random.normal(0, 4)
    centre_col = PX * (0.25 + 0.5 * (corner % 2)) + random.normal(0, 4)
    blob = (rows - centre_row) ** 2 + (cols - centre_col) ** 2 < 12**2
    pixels = random.normal(60, 10, (PX, PX)) + 120 * blob
    return pixels.clip(0, 255).astype(np.uint8), blob.astype(np.uint8), OPTIONS[corner]


def samples(number: int, *, split: str = "train") -> list[Sample]:
    """What is asked about picture `number`."""
    _, _, place = picture(number)
    ref = image("a.png", mask=MaskRef(path="m.png", labels=("blob",)))
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip("ABCD", OPTIONS, strict=True))
    asked = [
        ("toy_side", "Is the blob on the left?", closed("yes" if "left" in place else "no"), ""),
        ("toy_height", "Is the blob in the upper half?", closed("yes" if "upper" in place else "no"), ""),
        ("toy_choice", f"Where is the blob?\n{listed}", choice(place, OPTIONS), ""),
        ("toy_caption", "Describe the picture.", passage(f"A bright blob in the {place} corner."), ""),
        ("toy_reason", "Is there a blob?", closed("yes"), f"I see a bright blob, {place}."),
    ]
    return [
        Sample(
            id=f"toy/{split}/{number}/{task}",
            turns=(user(ref, question),),
            answer=answer,
            reasoning=reasoning,
            task=task,
            split=split,  # type: ignore[arg-type]
            group=f"g{number}",
            modality="x-ray",
            provenance=PROVENANCE,
        )
        for task, question, answer, reasoning in asked
    ]


def build_store(folder: Path, *, num_train: int = 12, num_test: int = 4, text_only: int = 0) -> Store:
    """Shards of toy records below `folder`; `text_only` more training records have no picture."""
    for split, numbers in (("train", range(num_train)), ("test", range(1000, 1000 + num_test))):
        records = []
        for number in numbers:
            pixels, mask, _ = picture(number)
            blobs = {
                "a.png": Blob(encode_png8(pixels), "png", PX, PX, 8),
                "m.png": Blob(encode_png8(mask), "png", PX, PX, 8),
            }
            records.append(stored_record(f"{split}{number}", samples(number, split=split), blobs))
        if split == "train":
            records += [_text_record(number) for number in range(text_only)]
        write_shard(folder, split, 0, records=records, estimate=lambda sample: (len(sample.question) // 4 + 8, 1))
    return Store(folder)


def _text_record(number: int) -> StoredRecord:
    sample = Sample(
        id=f"toy/train/text{number}",
        turns=(user(f"Is {number} even?"),),
        answer=closed("no" if number % 2 else "yes"),
        task="toy_text",
        split="train",
        group=f"t{number}",
        provenance=PROVENANCE,
    )
    return stored_record(f"text{number}", [sample], {})

"""Small stores for the tests of this folder."""

from pathlib import Path

from osler.core.rng import generator
from osler.schema.media import MaskRef
from osler.schema.sample import Provenance, Sample, closed, image, user
from osler.store.record import Blob, StoredRecord, stored_record
from osler.store.shards import ShardInfo, write_shard


def cost(sample: Sample) -> tuple[int, int]:
    return len(sample.question), len(sample.media)


def record(number: int, *, split: str = "train", num_samples: int = 2, licence: str = "CC0-1.0") -> StoredRecord:
    random = generator(0, "record", number)
    blobs = {name: Blob(random.bytes(700 + number), "png", 8, 6, 16) for name in ("a", "b", "mask")}
    refs = [image("a", mask=MaskRef(path="mask", labels=("nodule",))), image("b", view="lateral")]
    samples = [
        Sample(
            id=f"toy/{split}/{number}-{n}",
            turns=(user(*refs, f"Question {n} of {number}?"),),
            answer=closed("yes"),
            task=f"task{n}",
            split=split,
            group=f"g{number}",
            provenance=Provenance(dataset="toy", record_id=str(number), licence=licence),
        )
        for n in range(num_samples)
    ]
    return stored_record(f"r{number:04d}", samples, blobs)


def write(folder: Path, records: list[StoredRecord], *, split: str = "train", number: int = 0) -> ShardInfo:
    return write_shard(folder, split, number, records=records, estimate=cost)

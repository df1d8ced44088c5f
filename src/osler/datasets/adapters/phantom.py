"""Phantom: drawn chest radiographs whose truth is known, read from the folder that `osler synth` wrote."""

from osler.datasets.dataset import Dataset, Row
from osler.datasets.read import ShardRows
from osler.schema.sample import Sample


def to_sample(row: Row) -> Sample:
    """The stored sample as it is: its id, group, licence, mask and window are kept."""
    sample: Sample = row["sample"]
    return sample


DATASET = Dataset(
    licence="CC0-1.0",
    access="open",
    modality="x-ray",
    body_part="chest",
    group_key="key",
    id_key="key",
    splits={"train": None, "validation": None, "test": None},
    rows=ShardRows(),
    to_sample=to_sample,
    layout="shards/SPLIT-NNNNN.tar and index/SPLIT-NNNNN.parquet, as osler synth writes them",
    notes="Drawn, not taken from any patient. Split sizes are those of the recipe that drew them.",
    contiguous=True,
)

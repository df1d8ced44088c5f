"""MedTrinity-25M: pictures of over 90 public sets with long generated descriptions, from the whole to regions.

Row:  {"image": {"bytes": ...}, "id": "8031efe0-...", "caption": "The image is a chest CT scan ..."}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.figures import captioned
from osler.datasets.read import FirstOf, parquet
from osler.schema.licence import UNKNOWN
from osler.schema.sample import Sample


def to_sample(row: Row) -> Sample | Skip:
    """The description of a picture."""
    return captioned(row["image"], row["caption"])


DATASET = Dataset(
    licence=UNKNOWN,
    access="registered",
    modality="mixed",
    group_key="id",
    group_unit="image",
    id_key="id",
    splits={"train": None},
    rows=FirstOf(
        tuple(
            parquet({"train": pattern}, fields=("id", "caption"), images=("image",))
            for pattern in ("25M_accessible/*.parquet", "25M_full/*.parquet", "25M_demo/*.parquet", "data/*.parquet")
        )
    ),
    to_sample=to_sample,
    contiguous=True,
    hub_id="UCSC-VLAA/MedTrinity-25M",
    stages=("midtrain",),
    known_from="code",
    citation="Xie et al. MedTrinity-25M: a large-scale multimodal dataset with multigranular annotations for medicine. "
    "ICLR 2025. arXiv:2408.02900",
    source_url="https://huggingface.co/datasets/UCSC-VLAA/MedTrinity-25M",
    layout="the parquet files of one configuration in 25M_accessible/, 25M_full/, 25M_demo/ or data/",
    notes="Each picture keeps the licence of the set it is from, which the rows do not name: NOASSERTION. A row "
    "without its picture is dropped and counted. The pictures' sets include some that others test on: look for "
    "overlap. Patients are not named, so slices of one scan are not grouped.",
)

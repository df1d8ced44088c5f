"""Chaoyang: patches of colon slides in four classes, with labels that pathologists agreed on for the test set.

Row: {"name": "train/535462-IMG002x009-0.JPG", "label": 1}
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from osler.datasets.classes import ask_class, plain_id
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import json_list
from osler.schema.sample import Sample, image

_NAMES = ("normal", "serrated", "adenocarcinoma", "adenoma")


def to_sample(row: Row) -> Sample | Skip:
    """Ask for the class of the patch; the label counts from 0."""
    if row["label"] not in range(len(_NAMES)):
        return Skip(f"label {row['label']!r} is no class")
    return ask_class(
        image(row["name"]), "What does this patch of a colon slide show?", label=_NAMES[row["label"]], names=_NAMES
    )


def with_slide(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The number before the first hyphen of a file's name is common to the patches of a slide."""
    for row in rows:
        stem = PurePosixPath(row["name"]).stem
        yield {**row, "id": plain_id(stem), "slide": stem.partition("-")[0]}


DATASET = Dataset(
    licence="LicenseRef-Request-Form",
    access="registered",
    modality="histopathology",
    body_part="colon",
    group_key="slide",
    group_unit="image",
    id_key="id",
    splits={"train": 4021, "test": 2139},
    stages=("classify",),
    known_from="code",
    rows=json_list({"train": "train.json", "test": "test.json"}, fields=("name", "label"), change=with_slide),
    to_sample=to_sample,
    citation="Zhu et al. Hard sample aware noise robust learning for histopathology image classification. IEEE "
    "Transactions on Medical Imaging 41(4), 881-894 (2022). doi:10.1109/TMI.2021.3125459",
    source_url="https://bupt-ai-cz.github.io/HSA-NRL/",
    layout="train.json, test.json and the folders train and test that they name",
    notes="Normal, serrated, adenocarcinoma, adenoma: 1,111, 842, 1,404, 664 in train, whose labels are noisy, and "
    "705, 321, 840, 273 in test. The owners' terms forbid commercial use and passing the images on. The group is the "
    "number at the head of the file's name; no list tells the patients.",
)

"""Any pictures of yours in numpy arrays with their classes, in the layout of MedMNIST.

Row: {"image": "cells/train_images-0000000.png", "label": [3], "id": "cells-0000000", "classes": ("class 0", ...)}
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from osler.datasets.classes import ask_class
from osler.datasets.dataset import BadRow, Dataset, Row, Skip
from osler.datasets.read import npz
from osler.schema.sample import Sample, image

_SPLITS = {"train": "train", "validation": "val", "test": "test"}
_ARRAYS = npz("*.npz", splits=_SPLITS, images="{split}_images", labels="{split}_labels")


@dataclass(frozen=True)
class NumberedArrays:
    """The rows of all files, each with the names of its file's classes: the numbers from 0 to the highest label."""

    def __call__(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        """The rows of `split`, file by file; of every file the labels of all splits are looked at first."""
        highest: dict[str, int] = {}
        for each in _SPLITS:
            for row in _ARRAYS(root, each):
                if isinstance(row, dict) and len(row["label"]) == 1:
                    highest[row["_file"]] = max(highest.get(row["_file"], 0), int(row["label"][0]))
        for row in _ARRAYS(root, split):
            if isinstance(row, BadRow):
                yield row
                continue
            path = PurePosixPath(row["image"])
            classes = tuple(f"class {number}" for number in range(highest.get(row["_file"], 0) + 1))
            stem = PurePosixPath(row["_file"]).stem
            yield {**row, "id": f"{stem}-{path.stem.rpartition('-')[2]}", "set": stem, "classes": classes}

    def paths(self, root: Path, split: str) -> list[Path]:
        """All files: each holds every split."""
        return _ARRAYS.paths(root, split)


def to_sample(row: Row) -> Sample | Skip:
    """Ask for the class. A row with several labels, or a label below 0, is a drop."""
    if len(row["label"]) != 1 or row["label"][0] < 0:
        return Skip(f"label {row['label']} is no class")
    return ask_class(
        image(row["image"]),
        "Which class does this image belong to?",
        label=row["classes"][int(row["label"][0])],
        names=row["classes"],
        tags=(f"set:{row['set']}",),
    )


DATASET = Dataset(
    licence="NOASSERTION",
    access="open",
    modality="image",
    group_key="image",
    group_unit="image",
    id_key="id",
    splits={"train": None, "validation": None, "test": None},
    stages=("classify",),
    known_from="file",
    rows=NumberedArrays(),
    to_sample=to_sample,
    layout="one or more files *.npz, each with the arrays {train,val,test}_images, uint8 of shape [n, height, width] "
    "or [n, height, width, 3], and {train,val,test}_labels of class numbers from 0",
    notes="Your own pictures: the licence is not known and counts as none, and no patient is named. Of several files "
    "in one folder each has its own classes: keep one by its tag, set:FILE.",
)

"""WBC blood: stained white blood cells in four types, as augmented copies of a few hundred photographs.

Row: {"image": "images/TRAIN/EOSINOPHIL/_0_1169.jpeg", "label": "EOSINOPHIL", "id": "EOSINOPHIL/_0_1169"}
"""

from osler.datasets.classes import PicturesByClass, ask_class
from osler.datasets.dataset import Dataset, Row, Skip
from osler.schema.sample import Sample, image

_NAMES = ("eosinophil", "lymphocyte", "monocyte", "neutrophil")


def to_sample(row: Row) -> Sample | Skip:
    """Ask for the type of the cell."""
    label = row["label"].lower()
    if label not in _NAMES:
        return Skip(f"folder {row['label']!r} is no class")
    return ask_class(image(row["image"]), "Which type of white blood cell is this?", label=label, names=_NAMES)


DATASET = Dataset(
    licence="MIT",
    access="open",
    modality="microscopy",
    body_part="blood",
    group_key="group",
    group_unit="image",
    id_key="id",
    splits={"train": 9957, "test": 2487},
    stages=("classify",),
    known_from="file",
    rows=PicturesByClass(
        {
            "train": ("images/TRAIN", "dataset2-master/dataset2-master/images/TRAIN", "dataset2-master/images/TRAIN"),
            "test": ("images/TEST", "dataset2-master/dataset2-master/images/TEST", "dataset2-master/images/TEST"),
        }
    ),
    to_sample=to_sample,
    citation="Mooney. Blood cell images (2018), derived from Shenggan. BCCD dataset (2017)",
    source_url="https://github.com/Shenggan/BCCD_Dataset",
    layout="images/{TRAIN,TEST}/{EOSINOPHIL,LYMPHOCYTE,MONOCYTE,NEUTROPHIL}/*.jpeg",
    notes="The images are turned, shifted and mirrored copies of 367 photographs. No name tells which, so no group can "
    "be formed, and copies of one photograph may lie in both splits: a score on the test folder is not one on unseen "
    "cells. labels.csv, with blank and double labels, belongs to the photographs and is not read. The licence is that "
    "of the photographs.",
)

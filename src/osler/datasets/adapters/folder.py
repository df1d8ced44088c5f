"""Any pictures of yours in one folder a class.

Row: {"image": "train/benign/a.png", "label": "benign", "id": "benign/a", "classes": ("benign", "malignant")}
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osler.datasets.classes import PicturesByClass, ask_class, picture_at, readable
from osler.datasets.dataset import Dataset, Row
from osler.datasets.packed import is_junk
from osler.schema.sample import Sample

_SPLITS = {
    "train": ("train", "Train", "TRAIN", "training", "Training"),
    "validation": ("validation", "val", "valid", "Val", "Validation", "VAL"),
    "test": ("test", "Test", "TEST", "testing", "Testing"),
}


@dataclass(frozen=True)
class ClassFolderTree:
    """Splits of class folders, or class folders alone, which are then the split `train`."""

    def __call__(self, root: Path, split: str) -> Iterator[Row]:
        """The pictures, by class and then by name, each with all classes that any split has."""
        folders = _split_folders(root) or {"train": "."}
        classes = tuple(sorted({readable(name) for folder in folders.values() for name in _class_names(root / folder)}))
        reader = PicturesByClass({split: (folders[split],)})
        for row in reader(root, split):
            yield {**row, "classes": classes, "picture": picture_at(root, row["image"])}

    def paths(self, root: Path, split: str) -> list[Path]:
        """The folder of `split`."""
        folders = _split_folders(root)
        if split in folders:
            return [root / folders[split]]
        return [root if split == "train" and not folders and _class_names(root) else root / split]


def to_sample(row: Row) -> Sample:
    """Ask for the class, whose name is the folder's with blanks for underscores."""
    return ask_class(
        row["picture"], "Which class does this image belong to?", label=readable(row["label"]), names=row["classes"]
    )


def _split_folders(root: Path) -> dict[str, str]:
    found = {s: next((n for n in names if (root / n).is_dir()), "") for s, names in _SPLITS.items()}
    return {split: name for split, name in found.items() if name}


def _class_names(folder: Path) -> list[str]:
    is_class = (path for path in folder.iterdir() if path.is_dir() and not is_junk(path.name))
    return sorted(path.name for path in is_class if not path.name.startswith("."))


DATASET = Dataset(
    licence="NOASSERTION",
    access="open",
    modality="image",
    group_key="group",
    group_unit="image",
    id_key="id",
    splits={"train": None, "validation": None, "test": None},
    stages=("classify",),
    known_from="file",
    rows=ClassFolderTree(),
    to_sample=to_sample,
    layout="CLASS/*.png, or {train,validation,test}/CLASS/*.png",
    notes="Your own pictures: the licence is not known to this project and counts as none, and no patient is named. "
    "Gray PNG of 16 bits is shown over its full range.",
)

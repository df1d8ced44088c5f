"""Any pictures of yours with their classes in a table.

Row: {"file": "images/a.png", "label": "benign", "split": "train", "patient": "p1", "licence": "CC-BY-4.0",
      "window_center": "1024", "window_width": "2048"}
of which all but file and label may be missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osler.datasets.classes import ask_class, picture_at, plain_id
from osler.datasets.dataset import BadRow, Dataset, Row, Skip
from osler.datasets.read import FileRows, csv_table
from osler.schema.media import MediaRef, Window
from osler.schema.sample import Provenance, Sample

_SPLITS = ("train", "validation", "test")
_OTHER_NAMES = {"val": "validation", "valid": "validation", "dev": "validation", "training": "train", "testing": "test"}


@dataclass(frozen=True)
class LabelTable:
    """Rows of the tables below the root that belong to a split; without a column `split` all belong to train."""

    def __call__(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        """The rows, each with the names of all classes, which are gathered first."""
        classes = tuple(sorted({row["label"].strip() for row in self._all(root) if isinstance(row, dict)} - {""}))
        for row in self._all(root):
            if isinstance(row, BadRow):
                if split == _SPLITS[0]:
                    yield row
                continue
            own = _split_of(row)
            if own == split or (own not in _SPLITS and split == _SPLITS[0]):
                path = row["file"].strip()
                known = {"id": plain_id(path), "group": row.get("patient", "").strip() or plain_id(path)}
                yield {**row, **known, "own_split": own, "classes": classes, "picture": _picture(root, path, row)}

    def paths(self, root: Path, split: str) -> list[Path]:
        """All tables below the root."""
        return _table().paths(root, "train")

    def _all(self, root: Path) -> Iterator[Row | BadRow]:
        return _table()(root, "train")


def to_sample(row: Row) -> Sample | Skip:
    """Ask for the class. A row without a file, a label or a known split is a drop."""
    if row["own_split"] not in _SPLITS:
        return Skip(f"unknown split {row['own_split']!r}")
    if not row["file"].strip() or not row["label"].strip():
        return Skip("no file" if not row["file"].strip() else "no label")
    if row["picture"] is None:
        return Skip("the window is no pair of numbers")
    licence = (row.get("licence") or row.get("license") or "").strip()
    return ask_class(
        row["picture"],
        "Which class does this image belong to?",
        label=row["label"].strip(),
        names=row["classes"],
        provenance=Provenance(dataset="csv", record_id=row["id"], licence=licence) if licence else None,
    )


def _table() -> FileRows:
    return csv_table({"train": "*.csv"}, fields=("file", "label"))


def _split_of(row: Row) -> str:
    word = row.get("split", "train").strip().lower()
    return _OTHER_NAMES.get(word, word)


def _picture(root: Path, path: str, row: Row) -> MediaRef | None:
    """The picture as it is to be shown; None where its window is no pair of numbers."""
    words = [row.get(name, "").strip() for name in ("window_center", "window_width")]
    if not any(words):
        return picture_at(root, path)
    try:
        return picture_at(root, path, window=Window(center=float(words[0]), width=float(words[1])))
    except ValueError:
        return None


DATASET = Dataset(
    licence="NOASSERTION",
    access="open",
    modality="image",
    group_key="group",
    group_unit="patient",
    id_key="id",
    splits={"train": None, "validation": None, "test": None},
    stages=("classify",),
    known_from="file",
    rows=LabelTable(),
    to_sample=to_sample,
    layout="one or more tables *.csv with the columns file and label, and where known split, patient, licence, "
    "window_center and window_width; paths of files are below the same folder",
    notes="Your own pictures: without a column `licence` the licence is not known and counts as none. Rows without a "
    "column `split` are train; those with a word that names no split are counted drops of train. Gray PNG of 16 bits "
    "is shown over its full range, unless the table gives its window.",
)

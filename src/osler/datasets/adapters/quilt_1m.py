"""Quilt-1M: histopathology frames of teaching videos, tweets, articles and the web, with cleaned captions.

Row: the columns of quilt_1M_lookup.csv, among them image_path "_KJZm1orOvU_roi_....jpg", caption, subset (quilt,
openpath, pubmed, laion), split (train, val), pathology "['Bone', 'Soft tissue']" and magnification "2.0".
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from osler.core.errors import InputError
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.figures import captioned, video_group
from osler.datasets.read import csv_table
from osler.schema.sample import Sample

_SPLITS = {"train": "train", "val": "validation"}
_FILE = "quilt_1M_lookup.csv"


def to_sample(row: Row) -> Sample | Skip:
    """The caption of a frame; subset, kinds of pathology and magnification are tags. A video is one group."""
    tags = [f"subset:{row['subset']}", *(f"pathology:{kind}" for kind in listed(row["pathology"]))]
    if row["magnification"] not in ("", "nan"):
        tags.append(f"magnification:{row['magnification']}")
    path = row["image_path"]
    return captioned(path, row["caption"], group=video_group(path), tags=tuple(tags))


def listed(text: str) -> tuple[str, ...]:
    """The words of a list as Python prints it; text that is no list is one word, and an empty cell none."""
    words = text.strip()
    if words in ("", "nan"):
        return ()
    try:
        values = ast.literal_eval(words)
    except (ValueError, SyntaxError):
        return (words,)
    return tuple(str(value).strip() for value in values) if isinstance(values, list) else (words,)


def of_split(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of `split`; the file calls validation `val`."""
    for row in rows:
        if row["split"] not in _SPLITS:
            raise InputError(f"{root / _FILE} has the split {row['split']!r}", expected=" or ".join(_SPLITS))
        if _SPLITS[row["split"]] == split:
            yield row


DATASET = Dataset(
    licence="LicenseRef-Request-Form",
    access="registered",
    modality="pathology",
    group_key="image_path",
    group_unit="video",
    splits={"train": None, "validation": None},
    rows=csv_table(
        {"train": _FILE, "validation": _FILE},
        fields=("image_path", "caption", "subset", "split", "pathology", "magnification"),
        change=of_split,
    ),
    to_sample=to_sample,
    media_folder="quilt_1m",
    stages=("align",),
    known_from="code",
    citation="Ikezogwo et al. Quilt-1M: one million image-text pairs for histopathology. NeurIPS 2023. "
    "arXiv:2306.11207",
    source_url="https://zenodo.org/records/8239942",
    layout="quilt_1M_lookup.csv and the pictures of all parts unpacked into quilt_1m/",
    notes="Asked for with a form, for research only and not to be passed on. One picture may have several captions. "
    "Frames of one video (its 11-letter id begins the name) are one group, in Quilt-Instruct, too.",
)

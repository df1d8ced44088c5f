"""MMLU, medical subjects: college and licensing questions of nine subjects with four options.

Row: {"question": "...", "A": "...", "B": "...", "C": "...", "D": "...", "answer": "A"} (csv without a header), or
     {"question": "...", "choices": ["...", "...", "...", "..."], "answer": 0, "subject": "anatomy"} (hub)
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from osler.datasets.choices import choice_sample
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import group_of
from osler.datasets.read import FirstOf, csv_lines, parquet
from osler.schema.sample import Sample

_SIX = (
    *("anatomy", "clinical_knowledge", "college_biology"),
    *("college_medicine", "medical_genetics", "professional_medicine"),
)
_SEVEN = (*_SIX, "nutrition")
_NINE = (*_SEVEN, "high_school_biology", "virology")
_COUNTS = ((6, frozenset(_SIX)), (7, frozenset(_SEVEN)), (9, frozenset(_NINE)))
_TAGS = {
    subject: (f"subject:{subject}", *(f"subjects:{count}" for count, names in _COUNTS if subject in names))
    for subject in _NINE
}


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question with its options. Tags name the subject, and which of the customary choices of 6, 7 or 9."""
    tags, group = _TAGS[row["subject"]], group_of("mmlu_med", row["question"])
    return choice_sample(row["question"], row["choices"], row["right"], tags=tags, group=group)


def from_csv(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of the medical files; the file's name tells the subject."""
    seen: Counter[str] = Counter()
    for row in rows:
        subject = PurePosixPath(row["_file"]).stem.rpartition("_")[0]
        if subject in _TAGS:
            choices = [row[letter] for letter in "ABCD"]
            yield _completed(row, subject, seen, choices=choices, right="ABCD".find(row["answer"].strip() or "-"))


def from_hub(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The hub's rows, named like those of the csv files."""
    seen: Counter[str] = Counter()
    for row in rows:
        yield _completed(row, row["subject"], seen, choices=row["choices"], right=row["answer"])


def _completed(row: Row, subject: str, seen: Counter[str], *, choices: list[str], right: int) -> Row:
    seen[subject] += 1
    name = f"{subject}/{seen[subject] - 1:04d}"
    return {"_id": name, "question": row["question"], "choices": choices, "right": right, "subject": subject}


_CSV = {"train": "dev", "validation": "val", "test": "test"}
_HUB = {"train": "dev", "validation": "validation", "test": "test"}

DATASET = Dataset(
    licence="MIT",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    id_key="_id",
    splits={"train": 45, "validation": 203, "test": 1871},
    rows=FirstOf(
        (
            csv_lines(
                {split: f"{name}/*_{name}.csv" for split, name in _CSV.items()},
                fields=("question", "A", "B", "C", "D", "answer"),
                change=from_csv,
                file_field="_file",
            ),
            parquet(
                {split: tuple(f"{subject}/{name}-*.parquet" for subject in _NINE) for split, name in _HUB.items()},
                fields=("question", "choices", "answer", "subject"),
                change=from_hub,
            ),
        )
    ),
    to_sample=to_sample,
    citation="Hendrycks et al. Measuring massive multitask language understanding. ICLR 2021. arXiv:2009.03300",
    source_url="https://github.com/hendrycks/test",
    hub_id="cais/mmlu",
    layout="dev/SUBJECT_dev.csv, val/SUBJECT_val.csv, test/SUBJECT_test.csv without a header, or the hub's "
    "SUBJECT/{dev,validation,test}-*.parquet; files of other subjects are passed over",
    stages=("evaluate",),
    known_from="file",
    notes="`train` is the published dev split, five questions a subject to show as examples. Six subjects have 1,089 "
    "test questions (tag subjects:6), with nutrition seven have 1,395 (subjects:7), with high school biology and "
    "virology nine have 1,871 (subjects:9): say which when reporting a score.",
)

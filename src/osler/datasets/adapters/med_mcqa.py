"""MedMCQA: questions of Indian medical entrance exams with four options.

Row: {"question": "...", "exp": "...", "cop": 1, "opa": "...", "opb": "...", "opc": "...", "opd": "...",
      "subject_name": "Physiology", "topic_name": null, "id": "45258d3d-...", "choice_type": "multi"}
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import FirstOf, jsonl, parquet
from osler.datasets.wording import ask_choice
from osler.schema.sample import Sample, choice, user

_FIELDS = ("question", "opa", "opb", "opc", "opd", "subject_name", "id")


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question with its options; `right` is the right one, counted from 0."""
    if row["right"] is None:
        return Skip("the answer is not published")
    options = tuple(str(row[key]).strip() for key in ("opa", "opb", "opc", "opd"))
    right = options[row["right"]]
    if options.count(right) > 1:
        return Skip("two options have the words of the right one")
    return Sample(
        turns=(user(ask_choice(row["question"], options)),),
        answer=choice(right, options),
        task="choice_qa",
        tags=(f"subject:{row['subject_name']}",),
    )


def from_one(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The GitHub files count `cop` from 1; the test file has none."""
    return _with_right(rows, first=1)


def from_zero(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The hub's files count `cop` from 0; -1 stands for a hidden answer."""
    return _with_right(rows, first=0)


def _with_right(rows: Iterator[Row], *, first: int) -> Iterator[Row]:
    for row in rows:
        cop: Any = row.get("cop")
        hidden = cop is None or (first == 0 and cop == -1)
        if hidden:
            yield {**row, "right": None}
            continue
        if cop not in range(first, first + 4):
            raise InputError(
                f"question {row['id']!r} has cop {cop!r}", expected=f"{first} to {first + 3} in this layout"
            )
        yield {**row, "right": int(cop) - first}


DATASET = Dataset(
    licence="MIT",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    id_key="id",
    splits={"train": 182822, "validation": 4183, "test": 6150},
    rows=FirstOf(
        (
            jsonl(
                {"train": "train.json", "validation": "dev.json", "test": "test.json"}, fields=_FIELDS, change=from_one
            ),
            parquet("data/{split}-*.parquet", fields=_FIELDS, change=from_zero),
        )
    ),
    to_sample=to_sample,
    citation="Pal et al. MedMCQA: a large-scale multi-subject multi-choice dataset for medical domain question "
    "answering. CHIL 2022. arXiv:2203.14371",
    source_url="https://github.com/medmcqa/medmcqa",
    hub_id="openlifescienceai/medmcqa",
    layout="train.json, dev.json, test.json (JSON lines), or the hub's data/SPLIT-*.parquet",
    stages=("instruct", "evaluate"),
    known_from="file",
    notes="The test answers are not published. `cop` counts from 1 in the GitHub files and from 0 on the hub.",
)

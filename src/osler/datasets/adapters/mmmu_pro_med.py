"""MMMU-Pro, Health and Medicine: MMMU's harder questions with 4 options, with 10, and as one picture of the whole.

Row:    {"id": "validation_Pharmacy_1", "question": "... <image 1> ...", "options": "['1', ..., '10']", "answer": "J",
         "image_1": embedded, ..., "image_7": null, "img_type": "...", "subject": "Pharmacy", ...}
Vision: {"id": "validation_Pharmacy_1", "image": embedded, "options": "[...]", "answer": "J", "subject": "Pharmacy"}
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from osler.datasets.dataset import BadRow, Dataset, Row, Skip
from osler.datasets.options import choose, listed
from osler.datasets.pictures import at_marks, by_content, numbered, without_marks
from osler.datasets.read import FileRows, FirstOf, parquet
from osler.datasets.wording import ask_choice
from osler.schema.sample import Sample, user

# The five subjects of the discipline "Health & Medicine" in the MMMU paper; the sets' other 25 subjects are left out.
SUBJECTS = (
    "Basic_Medical_Science",
    "Clinical_Medicine",
    "Diagnostics_and_Laboratory_Medicine",
    "Pharmacy",
    "Public_Health",
)
_IMAGES = tuple(f"image_{number}" for number in range(1, 8))
_FOLDERS = {"options_4": "standard (4 options)", "options_10": "standard (10 options)", "vision": "vision"}
_IN_PICTURE = "Answer the question in this image by one of the options that it shows."


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question; the sample's task tells how: `choice_qa_options_4`, `..._options_10`, `..._vision`."""
    options = listed(row["options"])
    if options is None:
        return Skip("the options cannot be read")
    answer = choose([without_marks(option) for option in options], row["answer"], by="letter")
    if isinstance(answer, Skip):
        return answer
    is_vision = row["config"] == "vision"
    words = f"<image 1> {_IN_PICTURE}" if is_vision else ask_choice(row["question"], options)
    images = {1: row["image"]} if is_vision and row["image"] else numbered(row, _IMAGES)
    parts = at_marks(words, images)
    if parts is None:
        return Skip("the question has a mark without an image")
    tags = (f"subject:{row['subject']}", f"config:{row['config']}")
    return Sample(turns=(user(*parts),), answer=answer, task=f"choice_qa_{row['config']}", tags=tags)


def _medical(config: str, root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    medical = (row for row in rows if row["subject"] in SUBJECTS)
    for row in by_content(root, split, medical):
        yield {**row, "config": config, "record": f"{config}/{row['id']}"}


@dataclass(frozen=True)
class _Configs:
    """Configurations one after the other."""

    names: tuple[str, ...]

    def __call__(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        """The rows of all."""
        for name in self.names:
            yield from _config(name)(root, split)

    def paths(self, root: Path, split: str) -> list[Path]:
        """The files of all."""
        return [path for name in self.names for path in _config(name).paths(root, split)]


def _config(name: str) -> FileRows:
    images, own = (("image",), ()) if name == "vision" else (_IMAGES, ("question",))
    return parquet(
        {"test": f"{_FOLDERS[name]}/test-*.parquet"},
        fields=("id", "options", "answer", "subject", *own, *images),
        images=images,
        change=partial(_medical, name),
    )


_HERE = (tuple(_FOLDERS), ("options_4", "options_10"), ("options_10",), ("options_4",), ("vision",))

DATASET = Dataset(
    licence="Apache-2.0",
    access="open",
    modality="mixed",
    group_key="id",
    group_unit="question",
    id_key="record",
    splits={"test": 858},
    rows=FirstOf(tuple(map(_Configs, _HERE))),
    to_sample=to_sample,
    stages=("evaluate",),
    known_from="code",
    hub_id="MMMU/MMMU_Pro",
    citation="Yue et al. MMMU-Pro: a more robust multi-discipline multimodal understanding benchmark. ACL 2025. "
    "arXiv:2409.02813",
    source_url="https://huggingface.co/datasets/MMMU/MMMU_Pro",
    layout="`standard (4 options)/test-*.parquet`, `standard (10 options)/test-*.parquet` and `vision/test-*.parquet`, "
    "or some of the three",
    notes="286 questions in each of three configurations (52 + 59 + 60 + 57 + 58 by subject), told apart "
    "by the sample's task and by the tag `config:NAME`. The other subjects are left out and not counted as drops. The "
    "three forms of a question are one group.",
)

"""PathVQA: questions made from the captions of pathology textbook figures, with the official splits or without.

Hub:    {"image": embedded, "question": "...", "answer": "yes"}
LXMERT: {"img_id": "test_0001", "sentf": {"pvqa": ["question", ...]}, "labelf": {"pvqa": [{"answer": 1.0}, ...]}}
GitHub: {"Image_ID": "Fig.1", "Questions": "How are the histone subunits charged?", "Answers": "positively charged"}
"""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.pictures import by_content
from osler.datasets.read import FirstOf, json_list, parquet
from osler.datasets.wording import closed_or_open
from osler.schema.sample import Sample, image, user


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question; the set marks no type, so yes and no are closed and all else is open."""
    question, answer = (str(row[key]).strip() for key in ("question", "answer"))
    if not question or not answer:
        return Skip(f"the {'answer' if question else 'question'} is empty")
    return Sample(
        turns=(user(image(row["image"]), question),),
        answer=closed_or_open(answer, is_closed=answer.lower() in {"yes", "no"}),
    )


def from_github(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """One question a row, about a figure of the textbook."""
    for row in rows:
        yield {"image": f"{row['Image_ID']}.jpg", "question": row["Questions"], "answer": row["Answers"]}


def from_lxmert(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """One image a row, with its questions and answers in two lists, which are empty for some images."""
    for row in rows:
        questions, answers = (row[key].get("pvqa") or [] for key in ("sentf", "labelf"))
        for question, labels in zip_longest(questions, answers):
            best = max(labels, key=labels.__getitem__) if labels else ""
            yield {"image": f"{row['img_id']}.jpg", "question": question or "", "answer": best}


_LXMERT = {"train": "**/pvqa_train.json", "validation": "**/pvqa_val.json", "test": "**/pvqa_test.json"}

DATASET = Dataset(
    licence="MIT",
    access="open",
    modality="pathology",
    group_key="image",
    group_unit="image",
    splits={"train": 19654, "validation": 6259, "test": 6719},
    rows=FirstOf(
        (
            parquet(
                "data/{split}-*.parquet", fields=("image", "question", "answer"), images=("image",), change=by_content
            ),
            json_list(_LXMERT, fields=("img_id", "sentf", "labelf"), change=from_lxmert),
            # It has one part only: for the others the files that would hold them are missed.
            json_list(
                _LXMERT | {"train": "data/QA_pairs_vb.json"},
                fields=("Image_ID", "Questions", "Answers"),
                change=from_github,
            ),
        )
    ),
    to_sample=to_sample,
    media_folder="images",
    stages=("instruct", "evaluate"),
    known_from="file",
    hub_id="flaviagiammarino/path-vqa",
    citation="He et al. PathVQA: 30000+ questions for medical visual question answering. arXiv:2003.10286",
    source_url="https://github.com/UCSD-AI4H/PathVQA",
    layout="the hub's data/SPLIT-*.parquet, or pvqa_{train,val,test}.json and images/ID.jpg, or data/QA_pairs_vb.json "
    "and the textbook's figures as images/Fig.N.jpg",
    notes="data/QA_pairs_vb.json is one part without splits, read as train; its figures belong to a textbook and are "
    "not in the repository: a question whose figure is not at hand is dropped and counted.",
)

"""VQA-RAD: questions that clinicians asked about 315 radiology images, with short answers.

Row: {"qid": 11, "image_name": "synpic42202.jpg", "image_organ": "CHEST", "answer": "yes",
      "answer_type": "CLOSED ", "question_type": "PRES", "question": "...", "phrase_type": "freeform"}
Hub: {"image": embedded, "question": "...", "answer": "yes"}
"""

from collections.abc import Iterator
from pathlib import Path

from osler.datasets.dataset import Dataset, Row
from osler.datasets.pictures import by_content
from osler.datasets.read import FirstOf, json_list, parquet
from osler.datasets.wording import closed_or_open
from osler.schema.sample import Sample, image, user

_BODY_PARTS = {"CHEST": "chest", "ABD": "abdomen", "HEAD": "head"}


def to_sample(row: Row) -> Sample:
    """Ask the row's question; closed is what the set marks as closed, which is more than yes and no."""
    organ = str(row["image_organ"]).strip()
    tags = {"type": row["question_type"].strip(), "phrase": row["phrase_type"].strip()}
    return Sample(
        turns=(user(image(row["image_name"]), str(row["question"]).strip()),),
        answer=closed_or_open(str(row["answer"]), is_closed=row["answer_type"].strip().upper() == "CLOSED"),
        body_part=_BODY_PARTS.get(organ, organ.lower()),
        tags=tuple(f"{name}:{value}" for name, value in tags.items() if value),
    )


def from_hub(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The hub's files have neither ids nor kinds: a picture is known by its content, closed is yes and no."""
    for number, row in enumerate(by_content(root, split, rows)):
        is_closed = str(row["answer"]).strip().lower() in {"yes", "no"}
        empty = dict.fromkeys(("image_organ", "question_type", "phrase_type"), "")
        answer_type = "CLOSED" if is_closed else "OPEN"
        yield {**row, **empty, "qid": f"hub-{number:06d}", "image_name": row["image"], "answer_type": answer_type}


DATASET = Dataset(
    licence="CC0-1.0",
    access="open",
    modality="radiology",
    group_key="image_name",
    group_unit="image",
    shared_groups=True,
    id_key="qid",
    splits={"train": 3064, "test": 451},
    rows=FirstOf(
        (
            json_list(
                {"train": "trainset.json", "test": "testset.json"},
                fields=(
                    *("qid", "image_name", "image_organ", "answer", "answer_type"),
                    *("question_type", "question", "phrase_type"),
                ),
            ),
            parquet(
                "data/{split}-*.parquet", fields=("image", "question", "answer"), images=("image",), change=from_hub
            ),
        )
    ),
    to_sample=to_sample,
    media_folder="images",
    stages=("instruct", "evaluate"),
    known_from="file",
    hub_id="flaviagiammarino/vqa-rad",
    citation="Lau et al. A dataset of clinically generated visual questions and answers about radiology images. "
    "Scientific Data 5, 180251 (2018). doi:10.1038/sdata.2018.251",
    source_url="https://osf.io/89kps/",
    layout="trainset.json, testset.json and images/synpicNNNNN.jpg, or the hub's data/SPLIT-*.parquet",
    notes="The official train and test splits share 203 of their images. Of the 451 test questions, 272 are marked "
    "CLOSED and 251 have the answer yes or no. The hub's train file has 1,793 rows, duplicates taken out, and "
    "no kinds: there closed is yes and no only.",
)

"""VQA-RAD: questions that clinicians asked about 315 radiology images, with short answers.

Row: {"qid": 11, "image_name": "synpic42202.jpg", "image_organ": "CHEST", "answer": "yes",
      "answer_type": "CLOSED ", "question_type": "PRES", "question": "...", "phrase_type": "freeform"}
"""

from osler.datasets.dataset import Dataset, Row
from osler.datasets.read import json_list
from osler.datasets.wording import closed_or_open
from osler.schema.sample import Sample, image, user

_BODY_PARTS = {"CHEST": "chest", "ABD": "abdomen", "HEAD": "head"}


def to_sample(row: Row) -> Sample:
    """Ask the row's question; closed is what the set marks as closed, which is more than yes and no."""
    organ = str(row["image_organ"]).strip()
    return Sample(
        turns=(user(image(row["image_name"]), str(row["question"]).strip()),),
        answer=closed_or_open(str(row["answer"]), is_closed=row["answer_type"].strip().upper() == "CLOSED"),
        body_part=_BODY_PARTS.get(organ, organ.lower()),
        tags=(f"type:{row['question_type'].strip()}", f"phrase:{row['phrase_type'].strip()}"),
    )


DATASET = Dataset(
    licence="CC0-1.0",
    access="open",
    modality="radiology",
    group_key="image_name",
    id_key="qid",
    splits={"train": 3064, "test": 451},
    rows=json_list(
        {"train": "trainset.json", "test": "testset.json"},
        fields=(
            "qid",
            "image_name",
            "image_organ",
            "answer",
            "answer_type",
            "question_type",
            "question",
            "phrase_type",
        ),
    ),
    to_sample=to_sample,
    media_folder="images",
    citation="Lau et al. A dataset of clinically generated visual questions and answers about radiology images. "
    "Scientific Data 5, 180251 (2018). doi:10.1038/sdata.2018.251",
    source_url="https://osf.io/89kps/",
    layout="trainset.json, testset.json and images/synpicNNNNN.jpg",
    notes="The official train and test splits share 203 of their images. Of the 451 test questions, 272 are marked "
    "CLOSED and 251 have the answer yes or no.",
)

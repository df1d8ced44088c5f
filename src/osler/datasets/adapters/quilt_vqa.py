"""Quilt-VQA: questions that pathologists ask in teaching videos, about 985 frames of histopathology.

Row: {"image": embedded, "question": "Is there necrosis?", "answer": "Yes, in the centre.", "answer_type": "CLOSED",
      "context": "..."}
"""

import re

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.pictures import by_content
from osler.datasets.read import parquet
from osler.schema.sample import Answer, Sample, closed, image, passage, user


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question. An open answer is a sentence or two; a closed one begins with yes or no."""
    answer = str(row["answer"] or "").strip()
    if not answer or not row["image"]:
        return Skip(f"the {'answer' if row['image'] else 'image'} is empty")
    kind = str(row["answer_type"]).strip().upper()
    return Sample(
        turns=(user(image(row["image"]), str(row["question"]).strip()),),
        answer=_closed(answer) if kind == "CLOSED" else passage(answer),
        tags=(f"type:{kind}",),
    )


def _closed(answer: str) -> Answer:
    word = re.match(r"(yes|no)\b", answer, flags=re.IGNORECASE)
    if not word:
        return closed(answer, labels=())
    others = () if answer.lower() == word[1].lower() else (answer,)
    return closed(word[1]).model_copy(update={"alternatives": others})


DATASET = Dataset(
    licence="CC-BY-NC-ND-3.0",
    access="registered",
    modality="pathology",
    group_key="image",
    group_unit="image",
    splits={"test": 1283},
    rows=parquet(
        {"test": "data/train-*.parquet"},
        fields=("image", "question", "answer", "answer_type"),
        images=("image",),
        change=by_content,
    ),
    to_sample=to_sample,
    stages=("evaluate",),
    known_from="code",
    hub_id="wisdomik/Quilt_VQA",
    citation="Seyfioglu et al. Quilt-LLaVA: visual instruction tuning by extracting localized narratives from "
    "open-source histopathology videos. CVPR 2024. arXiv:2312.04746",
    source_url="https://huggingface.co/datasets/wisdomik/Quilt_VQA",
    layout="data/train-*.parquet, as the hub names its only part",
    notes="A benchmark in one part, read as test: 940 open and 343 closed questions. A frame's video is not "
    "published. The recipe that counts 107,131 rows under this name uses the instructions of quilt_instruct.",
)

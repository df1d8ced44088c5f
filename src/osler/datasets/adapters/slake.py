"""SLAKE: bilingual (English, Chinese) questions about 642 CT, MRI and X-ray images.

Row: {"img_id": 0, "img_name": "xmlab0/source.jpg", "question": "...", "answer": "MRI", "q_lang": "en",
      "location": "Abdomen", "modality": "MRI", "answer_type": "OPEN", "base_type": "vqa",
      "content_type": "Modality", "triple": ["vhead", "_", "_"], "qid": 9835}
"""

from osler.datasets.dataset import Dataset, Row
from osler.datasets.read import json_list
from osler.datasets.wording import closed_or_open
from osler.schema.sample import Sample, image, user


def to_sample(row: Row) -> Sample:
    """Ask the row's question. Its language is a tag (`lang:en`, `lang:zh`), by which a recipe may select."""
    return Sample(
        turns=(user(image(row["img_name"]), row["question"].strip()),),
        answer=closed_or_open(str(row["answer"]), is_closed=row["answer_type"].strip().upper() == "CLOSED"),
        modality=row["modality"].strip().lower(),
        body_part=row["location"].strip().lower(),
        tags=(f"lang:{row['q_lang'].strip()}", f"content:{row['content_type'].strip()}", f"base:{row['base_type']}"),
    )


DATASET = Dataset(
    licence="CC-BY-4.0",
    access="open",
    modality="radiology",
    group_key="img_id",
    group_unit="image",
    shared_groups=True,
    id_key="qid",
    splits={"train": 9835, "validation": 2099, "test": 2094},
    rows=json_list(
        {"train": "train.json", "validation": "validate.json", "test": "test.json"},
        fields=(
            *("img_id", "img_name", "question", "answer", "q_lang", "location", "modality"),
            *("answer_type", "base_type", "content_type", "qid"),
        ),
    ),
    to_sample=to_sample,
    media_folder="imgs",
    media_archives=("imgs.zip",),
    stages=("instruct", "evaluate"),
    known_from="file",
    hub_id="BoKelvin/SLAKE",
    citation="Liu et al. SLAKE: a semantically-labeled knowledge-enhanced dataset for medical visual question "
    "answering. ISBI 2021. arXiv:2102.09542",
    source_url="https://huggingface.co/datasets/BoKelvin/SLAKE",
    layout="train.json, validate.json, test.json and imgs/xmlabN/source.jpg or imgs.zip as published",
    notes="No image is in two splits within one language, but 72 of the 96 images of the English test are in the "
    "Chinese train split. Of the 836 closed test questions, 416 are English.",
)

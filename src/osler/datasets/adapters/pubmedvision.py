"""PubMedVision: 1.3 million questions about figures of PubMed articles, made from their captions by a language model.

Row:  {"id": "Alignment_VQA_0", "image": ["images/pmc_1_0.jpg"], "modality": "Computed Tomography",
       "body_part": "Chest", "conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}]}
"""

import re

from osler.datasets.conversations import conversation
from osler.datasets.dataset import Dataset, Row, RowReader, Skip
from osler.datasets.read import FirstOf, json_list
from osler.schema.sample import Sample, image

_FILES = {
    "alignment": "PubMedVision_Alignment_VQA.json",
    "instruction": "PubMedVision_InstructionTuning_VQA.json",
}
_PARTS = {file: part for part, file in _FILES.items()}


def to_sample(row: Row) -> Sample | Skip:
    """The conversation about one or more pictures, which come first. `part:alignment`, `part:instruction` are tags."""
    names = [str(path).removeprefix("images/") for path in row["image"]]
    if not names:
        return Skip("no image")
    talk = conversation(row["conversations"], [image(name) for name in names], marked=False)
    if isinstance(talk, Skip):
        return talk
    turns, answer = talk
    return Sample(
        turns=turns,
        answer=answer,
        task="instruct",
        group=f"pubmedvision/{re.sub(r'_[0-9]+[.][a-z]+$', '', names[0])}",
        modality=str(row.get("modality") or "").strip().lower(),
        body_part=str(row.get("body_part") or "").strip().lower(),
        tags=(f"part:{_PARTS[row['_file']]}",),
    )


def _lists(*files: str) -> RowReader:
    fields = ("id", "image", "conversations")
    return json_list({"train": files}, fields=fields, file_field="_file")


DATASET = Dataset(
    licence="Apache-2.0",
    access="open",
    modality="mixed",
    group_key="id",
    group_unit="image",
    id_key="id",
    splits={"train": 1294062},
    rows=FirstOf((_lists(*_FILES.values()), _lists(_FILES["alignment"]), _lists(_FILES["instruction"]))),
    to_sample=to_sample,
    media_folder="images",
    media_archives=tuple(f"images_{number}.zip" for number in range(20)),
    contiguous=True,
    hub_id="FreedomIntelligence/PubMedVision",
    stages=("midtrain", "instruct"),
    known_from="code",
    citation="Chen et al. HuatuoGPT-Vision: towards injecting medical visual knowledge into multimodal LLMs at scale. "
    "EMNLP 2024. arXiv:2406.19280",
    source_url="https://huggingface.co/datasets/FreedomIntelligence/PubMedVision",
    layout="PubMedVision_Alignment_VQA.json, PubMedVision_InstructionTuning_VQA.json (or one of them) and images/ or "
    "images_0.zip to images_19.zip",
    notes="647,031 rows of each part about the same figures, so both parts of a figure are one group. The words do not "
    "mark where a picture belongs: it comes before the question. A few pictures are in none of the zip files.",
)

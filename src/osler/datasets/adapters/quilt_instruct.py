r"""Quilt-Instruct: 107,131 questions and conversations about frames of histopathology teaching videos.

Row:  {"id": "...", "image": "_KJZm1orOvU_roi_....jpg",
       "conversations": [{"from": "human", "value": "<image>\nWhat is shown?"}, {"from": "gpt", "value": "..."}]}
"""

from osler.datasets.conversations import conversation
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.figures import video_group
from osler.datasets.read import json_list
from osler.schema.sample import Sample, image


def to_sample(row: Row) -> Sample | Skip:
    """The conversation about a frame; a video is one group."""
    talk = conversation(row["conversations"], [image(row["image"])], marked=False)
    if isinstance(talk, Skip):
        return talk
    turns, answer = talk
    return Sample(turns=turns, answer=answer, task="instruct", group=video_group(row["image"]))


DATASET = Dataset(
    licence="CC-BY-NC-ND-3.0",
    access="registered",
    modality="pathology",
    group_key="image",
    group_unit="video",
    splits={"train": 107131},
    rows=json_list({"train": "quilt_instruct_107k.json"}, fields=("id", "image", "conversations")),
    to_sample=to_sample,
    media_folder="quilt_1m",
    hub_id="wisdomik/QUILT-LLaVA-Instruct-107K",
    stages=("instruct",),
    known_from="card",
    citation="Seyfioglu et al. Quilt-LLaVA: visual instruction tuning by extracting localized narratives from "
    "open-source histopathology videos. CVPR 2024. arXiv:2312.04746",
    source_url="https://huggingface.co/datasets/wisdomik/QUILT-LLaVA-Instruct-107K",
    layout="quilt_instruct_107k.json, and the pictures of Quilt-1M in quilt_1m/",
    notes="The hub asks to agree to non-commercial use without passing on. The pictures are Quilt-1M's and come from "
    "there. Recipes that count 107,131 rows of Quilt-VQA mean this set.",
)

r"""LLaVA-Med: short descriptions and multi-turn conversations about figures of articles, made from their captions.

Row:  {"id": "28104940_F2", "image": "28104940_F2.jpg", "pair_id": "...",
       "domain": {"chest_xray": false, "mri": false, "ct_scan": true, "histology": false, "gross": false},
       "conversations": [{"from": "human", "value": "What is shown?\n<image>"}, {"from": "gpt", "value": "..."}, ...]}
The alignment list spells the last field `conversatons`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from osler.datasets.conversations import conversation
from osler.datasets.dataset import Dataset, Row, RowReader, Skip
from osler.datasets.read import FirstOf, json_list
from osler.schema.sample import Sample, image

_ALIGNMENT = "alignment/llava_med_alignment_500k.json"
_INSTRUCT = ("instruct/llava_med_instruct_60k_inline_mention.json", "instruct/llava_med_instruct_60k.json")
_MODALITIES = {"chest_xray": "x-ray", "mri": "mri", "ct_scan": "ct", "histology": "pathology", "gross": "pathology"}


def to_sample(row: Row) -> Sample | Skip:
    """The conversation. What it shows (`domain:mri`) and where it is from (`part:alignment`) are tags."""
    words = row["conversations"] if "conversations" in row else row.get("conversatons")
    talk = conversation(words, [image(row["image"])])
    if isinstance(talk, Skip):
        return talk
    turns, answer = talk
    domain = row.get("domain") or {}
    shown = [name for name, is_shown in domain.items() if is_shown]
    article = re.match(r"\d+(?=_)", row["image"])
    return Sample(
        turns=turns,
        answer=answer,
        task="instruct",
        group=f"pmid:{article[0]}" if article else "",
        modality=_MODALITIES.get(shown[0], "") if len(shown) == 1 else "",
        tags=(f"part:{row['part']}", *(f"domain:{name}" for name in shown)),
    )


def with_part(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Each row with its part, and with that before its id: a figure is in both parts under one id."""
    for row in rows:
        part = Path(row["_file"]).parts[0]
        yield {**row, "part": part, "record": f"{part}-{row['id']}"}


def _lists(*files: str) -> RowReader:
    return json_list({"train": files}, fields=("id", "image"), change=with_part, file_field="_file")


DATASET = Dataset(
    licence="CC-BY-NC-4.0",
    access="open",
    modality="mixed",
    group_key="image",
    group_unit="article",
    id_key="record",
    splits={"train": None},
    rows=FirstOf(
        (
            *(_lists(_ALIGNMENT, instruct) for instruct in _INSTRUCT),
            *(_lists(file) for file in (_ALIGNMENT, *_INSTRUCT)),
        )
    ),
    to_sample=to_sample,
    media_folder="images",
    contiguous=True,
    stages=("align", "instruct"),
    known_from="code",
    citation="Li et al. LLaVA-Med: training a large language-and-vision assistant for biomedicine in one day. "
    "NeurIPS 2023. arXiv:2306.00890",
    source_url="https://github.com/microsoft/LLaVA-Med",
    layout="alignment/llava_med_alignment_500k.json, instruct/llava_med_instruct_60k_inline_mention.json (or "
    "llava_med_instruct_60k.json), one of the two is enough, and images/",
    notes="The pictures are fetched from PubMed Central by the repository's script; one that is not there is dropped "
    "and counted (drop_missing_image). The number before the image's name is the article's, and the group.",
)

"""GEMeX-ThinkVG: questions about chest radiographs with a trace that points at regions of the image.

Row: {"image_path": "/p10/p1.../s.../....jpg", "question": "...", "question_type": "open_ended_questions",
      "thinkVG": "... the left lung [40, 52, 160, 250] ...",
      "response": "<response><answer>...</answer><location><ref>...</ref><box>[40, 52, 160, 250]</box></location>
                   </response>"}
"""

import re

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.mimic import below_files, patient_group, subject_of
from osler.datasets.read import FirstOf, json_list, parquet
from osler.schema.sample import Answer, Box, Sample, closed, image, open_answer, user

_FIELDS = ("image_path", "question", "question_type", "response")
_TAG = re.compile(r"</?(?:think|thinkVG|response|answer|location|ref|box)>", re.IGNORECASE)
_BOX = re.compile(r"\[\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*\]")
_PLACE = re.compile(r"<ref>(.*?)</ref>\s*<box>(.*?)</box>", re.IGNORECASE | re.DOTALL)


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question; the trace is the reasoning, and the answer stands without its tags."""
    response = row["response"] or ""
    answer = _inside(response, "answer")
    if not answer:
        return Skip("the response has no answer")
    trace = row.get("thinkVG") or _inside(response, "think")
    boxes = _boxes(response, row.get("width"), row.get("height"))
    has_places = bool(_BOX.search(response) or _BOX.search(trace))
    path = below_files(row["image_path"])
    return Sample(
        turns=(user(image(path), row["question"].strip()),),
        answer=_answer(answer, row["question_type"]),
        reasoning=_plain(trace),
        group=patient_group(subject_of(path) or path),
        boxes=boxes,
        tags=(f"type:{row['question_type']}", *(("boxes:text",) if has_places and not boxes else ())),
    )


def _answer(text: str, kind: str) -> Answer:
    is_closed = not kind.startswith("open")
    if is_closed and text.lower().rstrip(".") in {"yes", "no"}:
        return closed(text.rstrip("."))
    return Answer(kind="closed", text=text) if is_closed else open_answer(text)


def _boxes(response: str, width: float | None, height: float | None) -> tuple[Box, ...]:
    """The response's boxes as fractions of an image of this size in pixels; none where its size is not told."""
    if not width or not height:
        return ()
    found = []
    for ref, places in _PLACE.findall(response):
        for place in _BOX.findall(places):
            x0, y0, x1, y1 = (float(value) / size for value, size in zip(place, (width, height) * 2, strict=True))
            if 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1:
                found.append(Box(label=ref.strip(), x0=x0, y0=y0, x1=x1, y1=y1))
    return tuple(found)


def _inside(text: str, tag: str) -> str:
    match = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.IGNORECASE | re.DOTALL)
    return _plain(match[1]) if match else ""


def _plain(text: str) -> str:
    return " ".join(_TAG.sub(" ", text).split())


DATASET = Dataset(
    licence="NOASSERTION",
    access="credentialed",
    modality="x-ray",
    body_part="chest",
    group_key="",
    splits={"train": 202384},
    rows=FirstOf(
        (
            parquet({"train": "data/train-*.parquet"}, fields=_FIELDS),
            json_list({"train": "train.json"}, fields=_FIELDS),
        )
    ),
    to_sample=to_sample,
    media_folder="files",
    hub_id="BoKelvin/GEMeX-ThinkVG",
    stages=("instruct",),
    group_unit="patient",
    known_from="code",
    citation="Liu et al. GEMeX-ThinkVG: towards thinking with visual grounding in medical VQA via reinforcement "
    "learning. arXiv:2506.17939",
    source_url="https://huggingface.co/datasets/BoKelvin/GEMeX-ThinkVG",
    layout="data/train-00000-of-00001.parquet (or train.json), and files/ of mimic-cxr-jpg for the images",
    notes="The images are MIMIC-CXR-JPG's and need its credentials. The published boxes are pixels of a resized image "
    "whose size is not told: they stay in the trace as text (tag boxes:text). A copy whose rows have the fields width "
    "and height, the size to which the boxes refer, gives boxes. Its patients are also patients of mimic_cxr, and "
    "its groups have the same names there.",
)

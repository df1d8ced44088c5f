"""OpenMM-Medical: 88,996 choice questions gathered from the open part of OmniMedVQA and other sets.

Row: {"question": "...", "options": ["CT", "MR"] or {"A": "CT", "B": "MR"} or lines of words, "answer": "A" or "CT",
      "image": "Images/ACRIMA/a.png" or embedded}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.options import below, choose, listed
from osler.datasets.pictures import by_content
from osler.datasets.read import FirstOf, jsonl, parquet
from osler.datasets.wording import ask_choice
from osler.schema.sample import Sample, image, user

_FIELDS = ("question", "options", "answer", "image")


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question with its options."""
    options = _options(row["options"])
    if not row["image"]:
        return Skip("the image is empty")
    answer = choose(options, str(row["answer"] or "")) if options else Skip("the options cannot be read")
    if isinstance(answer, Skip):
        return answer
    return Sample(
        turns=(user(image(row["image"]), ask_choice(row["question"], answer.options)),), answer=answer, task="choice_qa"
    )


def _options(published: object) -> tuple[str, ...]:
    if isinstance(published, dict):
        return tuple(str(published[letter]) for letter in sorted(published) if published[letter] is not None)
    if isinstance(published, list):
        return tuple(map(str, published))
    text = str(published or "")
    return listed(text) or below(text)[1]


DATASET = Dataset(
    licence="NOASSERTION",
    access="open",
    modality="mixed",
    group_key="image",
    group_unit="image",
    splits={"train": 88996},
    rows=FirstOf(
        (
            jsonl({"train": "*.jsonl"}, fields=_FIELDS),
            parquet({"train": "data/*.parquet"}, fields=_FIELDS, images=("image",), change=by_content),
        )
    ),
    to_sample=to_sample,
    stages=("instruct",),
    known_from="card",
    hub_id="baichuan-inc/OpenMM_Medical",
    citation="Li et al. Baichuan-Omni-1.5 technical report. arXiv:2501.15368",
    source_url="https://huggingface.co/datasets/baichuan-inc/OpenMM_Medical",
    layout="*.jsonl and the images at the paths that its rows give, or data/*.parquet with the images inside",
    notes="Published as a benchmark in one part; read as train, as a published recipe uses it. Its rows come from "
    "OmniMedVQA: who trains on it must not report a score on omni_med_vqa. Only the names of its fields are known.",
)

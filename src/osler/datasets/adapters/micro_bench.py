"""Micro-Bench: multiple-choice questions about 17,315 microscope pictures of 25 public sets.

Row:  {"image_id": "...", "image": {"bytes": ...}, "dataset": "kather_et_al_2016", "modality": "light microscopy",
       "stain": "H&E", "license": "CC BY 4.0", "captions": {...},
       "questions": {"classification": {"question": "...", "options": ["...", "none of the above"], "answer": "...",
       "id": "..."}, "domain": {...}, "subdomain": {...}, "modality": {...}, "submodality": {...}, "stain": null}}
"""

from collections.abc import Iterator
from pathlib import Path

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import parquet
from osler.datasets.wording import ask_choice
from osler.schema.licence import UNKNOWN, licence_of
from osler.schema.sample import Provenance, Sample, choice, image, user

_WHOLE = "CC-BY-SA-4.0"


def to_sample(row: Row) -> Sample | Skip:
    """One question about a picture. Its kind (`question:stain`) and the picture's set are tags."""
    ask = row["asked"]
    options = tuple(str(option).strip() for option in ask["options"])
    right = str(ask["answer"]).strip()
    if options.count(right) != 1:
        return Skip("the answer is not one of the options")
    if not row["image"]:
        return Skip("no image")
    own = licence_of(str(row.get("license") or "")).id
    return Sample(
        turns=(user(image(row["image"]), ask_choice(ask["question"], options)),),
        answer=choice(right, options),
        task="choice_qa",
        modality=str(row.get("modality") or "").strip().lower(),
        tags=(f"question:{row['kind']}", f"source:{row.get('dataset') or 'unnamed'}"),
        provenance=Provenance(
            dataset="micro_bench",
            record_id=row["record"],
            licence=_WHOLE if own == UNKNOWN else own,
            source_url=DATASET.source_url,
        ),
    )


def one_a_question(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """One row for each question that a picture has."""
    for row in rows:
        for kind, ask in row["questions"].items():
            if ask is not None and ask["question"] is not None:
                yield {**row, "kind": kind, "asked": ask, "record": f"{row['image_id']}-{kind}"}


DATASET = Dataset(
    licence=_WHOLE,
    access="open",
    modality="microscopy",
    group_key="image_id",
    group_unit="image",
    id_key="record",
    splits={"test": None},
    rows=parquet({"test": "**/*.parquet"}, fields=("image_id", "questions"), images=("image",), change=one_a_question),
    to_sample=to_sample,
    contiguous=True,
    hub_id="jnirschl/uBench",
    stages=("evaluate",),
    known_from="code",
    citation="Lozano et al. Micro-Bench: a microscopy benchmark for vision-language understanding. NeurIPS 2024. "
    "arXiv:2407.01791",
    source_url="https://huggingface.co/datasets/jnirschl/uBench",
    layout="the parquet files of the perception part (the hub's branch refs/convert/parquet)",
    notes="The main branch has Arrow files, which are not read here. 79,716 questions are about the kind of picture "
    "and 16,130 ask for its class; those that a picture does not have are null and no rows. The harder cognition part "
    "is not published.",
)

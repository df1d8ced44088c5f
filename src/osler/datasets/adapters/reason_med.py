"""ReasonMed: exam questions with reasoning that several models wrote and checked, in three forms.

Row: {"instruction": "... Please answer the following multiple-choice question: ...", "input": "", "output": "..."}
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import group_of, instructed
from osler.datasets.read import any_json
from osler.schema.sample import Sample


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question; reasoning is taken apart where it is marked. The tag tells the form; a question is a group."""
    return instructed(row, tags=(f"form:{row['_form']}",), group=group_of("reason_med", row["instruction"]))


def named(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Each row with the form it has, which its file tells, and a name that does not change with the files at hand."""
    form, number = "", 0
    for row in rows:
        found = PurePosixPath(row["_file"]).stem
        form, number = (form, number + 1) if found == form else (found, 0)
        yield {**row, "_form": form, "_id": f"{form}/{number:06d}"}


DATASET = Dataset(
    licence="Apache-2.0",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    id_key="_id",
    splits={"train": 1111555},
    rows=any_json({"train": "*Med.json"}, fields=("instruction", "input", "output"), change=named, file_field="_file"),
    to_sample=to_sample,
    citation="Sun et al. ReasonMed: a 370K multi-agent generated dataset for advancing medical reasoning. EMNLP 2025. "
    "arXiv:2506.09513",
    source_url="https://huggingface.co/datasets/lingshu-medical-mllm/ReasonMed",
    hub_id="lingshu-medical-mllm/ReasonMed",
    layout="ReasonMed.json (reasoning, then a summary), CoTMed.json (reasoning) and ResponseMed.json (summary), or "
    "some of them",
    stages=("instruct",),
    known_from="code",
    notes="Each question is in all three forms (tags form:ReasonMed, form:CoTMed, form:ResponseMed). The questions "
    "come from MedQA train and dev, MedMCQA train, PubMedQA and the dev and val splits of MMLU.",
)

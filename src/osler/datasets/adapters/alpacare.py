"""AlpaCare MedInstruct-52k: medical instructions that models wrote and answered.

Row: {"instruction": "...", "input": "<noinput>", "output": "..."}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import instructed
from osler.datasets.read import FirstOf, any_json, parquet
from osler.schema.sample import Sample

_FIELDS = ("instruction", "input", "output")


def to_sample(row: Row) -> Sample | Skip:
    """Ask the instruction with its input, where it has one: `<noinput>` stands for none."""
    return instructed(row, no_input="<noinput>")


DATASET = Dataset(
    licence="CC-BY-NC-4.0",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 52002},
    rows=FirstOf(
        (
            parquet({"train": "data/train-*.parquet"}, fields=_FIELDS),
            any_json({"train": "MedInstruct-52k.json"}, fields=_FIELDS),
        )
    ),
    to_sample=to_sample,
    citation="Zhang et al. AlpaCare: instruction-tuned large language models for medical application. "
    "arXiv:2310.14558 (2023)",
    source_url="https://huggingface.co/datasets/lavita/AlpaCare-MedInstruct-52k",
    hub_id="lavita/AlpaCare-MedInstruct-52k",
    layout="the hub's data/train-*.parquet, or MedInstruct-52k.json",
    stages=("instruct",),
    known_from="card",
)

"""iCliniq-10K: what patients asked on a website, and what a doctor answered; two models' answers stand beside.

Row: {"input": "...", "answer_icliniq": "...", "answer_chatgpt": "...", "answer_chatdoctor": "..."}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import answered
from osler.datasets.read import FirstOf, any_json, parquet
from osler.schema.sample import Sample

_FIELDS = ("input", "answer_icliniq", "answer_chatgpt", "answer_chatdoctor")


def to_sample(row: Row) -> Sample | Skip:
    """Ask what the patient asked; of the three answers the doctor's is the gold one, the models' are not used."""
    return answered(str(row["input"] or ""), str(row["answer_icliniq"] or ""))


DATASET = Dataset(
    licence="NOASSERTION",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 7321},
    rows=FirstOf(
        (
            parquet({"train": "data/train-*.parquet"}, fields=_FIELDS),
            any_json({"train": "iCliniq.json"}, fields=_FIELDS),
        )
    ),
    to_sample=to_sample,
    citation="Li et al. ChatDoctor: a medical chat model fine-tuned on a large language model meta-AI (LLaMA) using "
    "medical domain knowledge. Cureus 15(6), e40895 (2023). arXiv:2303.14070",
    source_url="https://huggingface.co/datasets/lavita/ChatDoctor-iCliniq",
    hub_id="lavita/ChatDoctor-iCliniq",
    layout="the hub's data/train-*.parquet, or iCliniq.json",
    stages=("instruct",),
    known_from="card",
    notes="The card names no licence.",
)

"""Medical-R1-Distill-Data: open medical questions with the reasoning and reply of DeepSeek-R1.

Row: {"question": "...", "reasoning (reasoning_content)": "...", "response (content)": "..."}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import answered
from osler.datasets.read import FirstOf, any_json, parquet
from osler.schema.sample import Sample

_REASONING, _RESPONSE = "reasoning (reasoning_content)", "response (content)"
_FIELDS = ("question", _REASONING, _RESPONSE)


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question; the reply is a passage, the reasoning before it is published apart."""
    return answered(str(row["question"] or ""), str(row[_RESPONSE] or ""), reasoning=str(row[_REASONING] or ""))


DATASET = Dataset(
    licence="Apache-2.0",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 22000},
    rows=FirstOf(
        (
            any_json({"train": "medical_r1_distill_sft.json"}, fields=_FIELDS),
            parquet({"train": "en/*.parquet"}, fields=_FIELDS),
        )
    ),
    to_sample=to_sample,
    citation="Chen et al. HuatuoGPT-o1, towards medical complex reasoning with LLMs. ACL 2025. arXiv:2412.18925",
    source_url="https://huggingface.co/datasets/FreedomIntelligence/Medical-R1-Distill-Data",
    hub_id="FreedomIntelligence/Medical-R1-Distill-Data",
    layout="medical_r1_distill_sft.json",
    stages=("instruct",),
    known_from="code",
    notes="Its questions are those of huatuo_o1_verifiable.",
)

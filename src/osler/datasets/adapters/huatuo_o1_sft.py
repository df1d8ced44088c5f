"""HuatuoGPT-o1 SFT: medical questions with complex reasoning that reached the right answer, and a reply.

Row: {"Question": "...", "Complex_CoT": "Okay, let's see. ...", "Response": "..."}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import answered
from osler.datasets.read import FirstOf, any_json, parquet
from osler.schema.sample import Sample

_FIELDS = ("Question", "Complex_CoT", "Response")


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question; the reply is a passage, the reasoning before it is published apart."""
    reasoning = str(row["Complex_CoT"] or "").strip()
    if not reasoning:
        return Skip("the reasoning is empty")
    return answered(str(row["Question"] or ""), str(row["Response"] or ""), reasoning=reasoning)


DATASET = Dataset(
    licence="Apache-2.0",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 19704},
    rows=FirstOf(
        (
            any_json({"train": "medical_o1_sft.json"}, fields=_FIELDS),
            parquet({"train": "en/*.parquet"}, fields=_FIELDS),
        )
    ),
    to_sample=to_sample,
    citation="Chen et al. HuatuoGPT-o1, towards medical complex reasoning with LLMs. ACL 2025. arXiv:2412.18925",
    source_url="https://huggingface.co/datasets/FreedomIntelligence/medical-o1-reasoning-SFT",
    hub_id="FreedomIntelligence/medical-o1-reasoning-SFT",
    layout="medical_o1_sft.json",
    stages=("instruct",),
    known_from="code",
    notes="The questions are among those of huatuo_o1_verifiable, here with reasoning and reply. Earlier versions of "
    "the file hold 25,371 rows, general questions among them.",
)

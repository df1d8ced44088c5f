"""HuatuoGPT-o1 verifiable problems: exam questions made open, each with a short answer that can be checked.

Row: {"Open-ended Verifiable Question": "...", "Ground-True Answer": "..."}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import FirstOf, any_json, parquet
from osler.schema.sample import Sample, open_answer, user

_QUESTION, _ANSWER = "Open-ended Verifiable Question", "Ground-True Answer"


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question; the answer is a short phrase."""
    question, answer = str(row[_QUESTION] or "").strip(), str(row[_ANSWER] or "").strip()
    if not question:
        return Skip("the question is empty")
    if not answer:
        return Skip("the answer is empty")
    return Sample(turns=(user(question),), answer=open_answer(answer), task="text_qa")


DATASET = Dataset(
    licence="Apache-2.0",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 40644},
    rows=FirstOf(
        (
            any_json({"train": "medical_o1_verifiable_problem.json"}, fields=(_QUESTION, _ANSWER)),
            parquet({"train": "data/train-*.parquet"}, fields=(_QUESTION, _ANSWER)),
        )
    ),
    to_sample=to_sample,
    citation="Chen et al. HuatuoGPT-o1, towards medical complex reasoning with LLMs. ACL 2025. arXiv:2412.18925",
    source_url="https://huggingface.co/datasets/FreedomIntelligence/medical-o1-verifiable-problem",
    hub_id="FreedomIntelligence/medical-o1-verifiable-problem",
    layout="medical_o1_verifiable_problem.json",
    stages=("instruct",),
    known_from="code",
    notes="Made from questions of MedQA and MedMCQA train. The set holds no reasoning itself.",
)

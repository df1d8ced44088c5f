r"""MedXpertQA, text: specialist questions with ten options.

Row: {"id": "Text-0", "question": "...\nAnswer Choices: (A) ... (B) ...", "options": {"A": "...", ..., "J": "..."},
      "label": "E", "medical_task": "Diagnosis", "body_system": "Cardiovascular", "question_type": "Reasoning"}
"""

from osler.datasets.choices import lettered
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import group_of
from osler.datasets.read import FirstOf, jsonl
from osler.schema.sample import Sample

_FIELDS = ("id", "question", "options", "label", "medical_task", "body_system", "question_type")
_CHOICES = "Answer Choices: (A)"


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question with its options once; the published question repeats them at its end."""
    tags = (f"task:{row['medical_task']}", f"system:{row['body_system']}", f"type:{row['question_type']}")
    question = row["question"].partition(_CHOICES)[0].strip()
    group = group_of("medxpertqa_text", question)
    return lettered(question, row["options"], row["label"], tags=tags, group=group)


DATASET = Dataset(
    licence="MIT",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    id_key="id",
    splits={"train": 5, "test": 2450},
    rows=FirstOf(
        (
            jsonl({"train": "Text/dev.jsonl", "test": "Text/test.jsonl"}, fields=_FIELDS),
            jsonl({"train": "dev.jsonl", "test": "test.jsonl"}, fields=_FIELDS),
        )
    ),
    to_sample=to_sample,
    citation="Zuo et al. MedXpertQA: benchmarking expert-level medical reasoning and understanding. ICML 2025. "
    "arXiv:2501.18362",
    source_url="https://huggingface.co/datasets/TsinghuaC3I/MedXpertQA",
    hub_id="TsinghuaC3I/MedXpertQA",
    layout="Text/dev.jsonl and Text/test.jsonl",
    stages=("evaluate",),
    known_from="code",
    notes="`train` is the published dev split, five questions to show as examples.",
)

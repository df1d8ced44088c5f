"""MedThoughts-8K: MedQA questions with five options and the reasoning of DeepSeek-R1 where it was right.

Row: {"question_id": "...", "question": "...", "options": {"A": "...", ..., "E": "..."}, "answer_idx": "B",
      "ds_answer": "...", "ds_think": "...", "source": "MedQA/US/train"}
"""

from osler.datasets.choices import lettered
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import jsonl
from osler.schema.sample import Sample


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question with its options; `ds_think` is the reasoning, the right option the answer."""
    reasoning = str(row["ds_think"] or "").strip().removeprefix("<think>").removesuffix("</think>").strip()
    if not reasoning:
        return Skip("the reasoning is empty")
    return lettered(row["question"], row["options"], row["answer_idx"], reasoning=reasoning)


DATASET = Dataset(
    licence="GPL-3.0-only",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    id_key="question_id",
    splits={"train": 7716},
    rows=jsonl(
        {"train": "MedThoughts-8K.jsonl"},
        fields=("question_id", "question", "options", "answer_idx", "ds_answer", "ds_think"),
    ),
    to_sample=to_sample,
    citation="Wei. MedThoughts-8K (2025). https://huggingface.co/datasets/hw-hwei/MedThoughts-8K",
    source_url="https://huggingface.co/datasets/hw-hwei/MedThoughts-8K",
    hub_id="hw-hwei/MedThoughts-8K",
    layout="MedThoughts-8K.jsonl",
    stages=("instruct",),
    known_from="code",
    notes="Made from MedQA train. Its card grants it under the GPL, a licence for programs.",
)

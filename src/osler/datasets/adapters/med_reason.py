r"""MedReason: medical questions with reasoning along the paths of a knowledge graph.

Row: {"dataset_name": "medmcqa", "id_in_dataset": 7131, "question": "...", "reasoning": "Finding reasoning paths: ...",
      "options": "Answer Choices:\nA. ...\nB. ...", "answer": "Words of an option. Explanation: ..."}
"""

from osler.datasets.choices import choice_sample, named, option_lines
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import answered
from osler.datasets.read import FirstOf, any_json, parquet
from osler.schema.sample import Sample

_FIELDS = ("dataset_name", "question", "answer", "reasoning", "options")


def to_sample(row: Row) -> Sample | Skip:
    """A choice where the answer begins with the words of one option, else a passage; both with the reasoning."""
    question, options = str(row["question"] or "").strip(), str(row["options"] or "").strip()
    answer, reasoning = str(row["answer"] or "").strip(), str(row["reasoning"] or "").strip()
    tags = (f"source:{row['dataset_name']}",)
    choices = option_lines(options)
    if (number := named(answer, choices)) >= 0 and question:
        return choice_sample(question, choices, number, reasoning=reasoning, tags=tags)
    return answered(f"{question}\n{options}" if question else "", answer, reasoning=reasoning, tags=tags)


DATASET = Dataset(
    licence="Apache-2.0",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 32682},
    rows=FirstOf(
        (
            any_json({"train": "ours_quality_33000.jsonl"}, fields=_FIELDS),
            parquet({"train": "data/train-*.parquet"}, fields=_FIELDS),
        )
    ),
    to_sample=to_sample,
    citation="Wu et al. MedReason: eliciting factual medical reasoning steps in LLMs via knowledge graphs. "
    "arXiv:2504.00993 (2025)",
    source_url="https://huggingface.co/datasets/UCSC-VLAA/MedReason",
    hub_id="UCSC-VLAA/MedReason",
    layout="ours_quality_33000.jsonl",
    stages=("instruct",),
    known_from="code",
    notes="Its questions come from seven sets (tag source:...), among them PubMedQA, MMLU, MedXpertQA and Humanity's "
    "Last Exam: leave these out, or look for overlap, before scoring on them.",
)

"""MedXpertQA, multimodal part: five-option questions of specialist exams with one or more images.

Row: {"id": "MM-26", "question": "... Answer Choices: (A) ... (B) ...", "options": {"A": "...", ...}, "label": "C",
      "images": ["MM-26-a.jpeg"], "medical_task": "Diagnosis", "body_system": "Lymphatic", "question_type": "Reasoning"}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.options import choose, without_options
from osler.datasets.read import jsonl
from osler.datasets.wording import ask_choice
from osler.schema.sample import Sample, image, user


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question about its images, in order; the options are told once."""
    options = [str(row["options"][letter]) for letter in sorted(row["options"])]
    if not row["images"]:
        return Skip("the images are empty")
    answer = choose(options, row["label"], by="letter")
    if isinstance(answer, Skip):
        return answer
    words = ask_choice(without_options(row["question"], options), answer.options)
    return Sample(
        turns=(user(*map(image, row["images"]), words),),
        answer=answer,
        task="choice_qa",
        tags=(
            f"task:{row['medical_task']}",
            f"system:{row['body_system']}",
            f"type:{row['question_type']}",
        ),
    )


DATASET = Dataset(
    licence="MIT",
    access="open",
    modality="mixed",
    group_key="",
    group_unit="question",
    id_key="id",
    splits={"validation": 5, "test": 2000},
    rows=jsonl(
        {"validation": "MM/dev.jsonl", "test": "MM/test.jsonl"},
        fields=("id", "question", "options", "label", "images", "medical_task", "body_system", "question_type"),
    ),
    to_sample=to_sample,
    media_folder="images",
    media_archives=("images.zip",),
    stages=("evaluate",),
    known_from="code",
    hub_id="TsinghuaC3I/MedXpertQA",
    citation="Zuo et al. MedXpertQA: benchmarking expert-level medical reasoning and understanding. ICML 2025. "
    "arXiv:2501.18362",
    source_url="https://huggingface.co/datasets/TsinghuaC3I/MedXpertQA",
    layout="MM/dev.jsonl, MM/test.jsonl and images.zip as published, or images/ID-a.jpeg",
    notes="Validation is the published part dev, five questions to show a model. The published question ends with a "
    "list of its options, which is taken off because they are asked one a line.",
)

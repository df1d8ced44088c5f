"""OmniMedVQA, open part: choice questions made from the labels of 42 classification sets of 9 modalities.

Row: {"dataset": "ACRIMA", "question_id": "ACRIMA_0000", "question_type": "Modality Recognition", "question": "...",
      "gt_answer": "Fundus imaging", "image_path": "Images/ACRIMA/a.png", "option_A": "...", "option_B": "...",
      "modality_type": "Fundus Photography"}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.options import choose
from osler.datasets.read import json_list
from osler.datasets.wording import ask_choice
from osler.schema.sample import Sample, image, user


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question with the options it has, two to four; the right one is told by its words."""
    found = [str(row.get(f"option_{letter}") or "").strip() for letter in "ABCD"]
    while found and not found[-1]:
        found.pop()
    answer = choose(found, str(row["gt_answer"] or ""), by="words")
    if isinstance(answer, Skip):
        return answer
    # One row of `Chest CT Scan.json` calls its modality by another name.
    modality = row["modality_type"] if "modality_type" in row else row.get("modality", "")
    return Sample(
        turns=(user(image(row["image_path"].strip()), ask_choice(row["question"], answer.options)),),
        answer=answer,
        task="choice_qa",
        modality=str(modality).strip().lower(),
        tags=(f"type:{row['question_type'].strip()}", f"source:{row['dataset'].strip()}"),
    )


DATASET = Dataset(
    licence="NOASSERTION",
    access="open",
    modality="mixed",
    group_key="image_path",
    group_unit="image",
    id_key="question_id",
    splits={"test": 88996},
    rows=json_list(
        {"test": "QA_information/Open-access/*.json"},
        fields=("dataset", "question_id", "question_type", "question", "gt_answer", "image_path", "option_A"),
    ),
    to_sample=to_sample,
    stages=("instruct", "evaluate"),
    known_from="code",
    hub_id="foreverbeliever/OmniMedVQA",
    citation="Hu et al. OmniMedVQA: a new large-scale comprehensive evaluation benchmark for medical LVLM. CVPR 2024. "
    "arXiv:2402.09181",
    source_url="https://huggingface.co/datasets/foreverbeliever/OmniMedVQA",
    layout="QA_information/Open-access/*.json and Images/ (OmniMedVQA.zip unpacked; the root is its inner folder)",
    notes="82,059 images. A benchmark in one part, read as test. Each source set has a licence of its own, which the "
    "rows do not state. Which images are of one patient is not published.",
)

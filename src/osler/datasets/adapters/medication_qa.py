"""MedicationQA: what consumers ask about medicines, with answers from trusted sources.

Row: {"Question": "...", "Focus (Drug)": "...", "Question Type": "Interaction", "Answer": "...",
      "Section Title": "...", "URL": "https://..."}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import group_of
from osler.datasets.read import xlsx
from osler.schema.sample import Sample, passage, user


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question; the answer is a passage. Questions with the same words are one group."""
    question, answer = str(row["Question"] or "").strip(), str(row["Answer"] or "").strip()
    if not question:
        return Skip("the question is empty")
    if not answer:
        return Skip("the answer is empty")
    return Sample(
        turns=(user(question),),
        answer=passage(answer),
        task="text_qa",
        group=group_of("medication_qa", question.lower()),
        tags=(f"type:{str(row['Question Type'] or '').strip().lower()}",),
    )


DATASET = Dataset(
    licence="CC-BY-4.0",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 690},
    rows=xlsx(
        {"train": "MedInfo2019-QA-Medications.xlsx"},
        fields=("Question", "Focus (Drug)", "Question Type", "Answer", "Section Title", "URL"),
    ),
    to_sample=to_sample,
    citation="Ben Abacha et al. Bridging the gap between consumers' medication questions and trusted answers. "
    "MEDINFO 2019. doi:10.3233/SHTI190176",
    source_url="https://github.com/abachaa/Medication_QA_MedInfo2019",
    layout="MedInfo2019-QA-Medications.xlsx",
    stages=("instruct",),
    known_from="file",
    notes="The paper counts 674 questions; the file has 690 rows, some of which repeat a question.",
)

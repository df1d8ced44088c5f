"""MMMU, Health and Medicine: college exam questions with up to seven images among the words and options.

Row: {"id": "validation_Pharmacy_1", "question": "Which of these ... <image 1> ...?", "options": "['A', '<image 2>']",
      "answer": "B", "question_type": "multiple-choice", "image_1": embedded, ..., "image_7": null,
      "img_type": "['Diagrams']", "topic_difficulty": "Medium", "subfield": "...", "explanation": "..."}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.options import choose, listed
from osler.datasets.pictures import at_marks, by_content, numbered, without_marks
from osler.datasets.read import parquet
from osler.datasets.wording import ask_choice
from osler.schema.sample import Answer, Sample, open_answer, user

# The five subjects of the discipline "Health & Medicine" in the MMMU paper (Yue et al., table of subjects).
SUBJECTS = (
    "Basic_Medical_Science",
    "Clinical_Medicine",
    "Diagnostics_and_Laboratory_Medicine",
    "Pharmacy",
    "Public_Health",
)
_IMAGES = tuple(f"image_{number}" for number in range(1, 8))


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question, its images where their marks are; some questions have no options."""
    if str(row["answer"]).strip() in {"", "?"}:
        return Skip("the answer is not published")
    options = listed(row["options"])
    if options is None:
        return Skip("the options cannot be read")
    is_choice = row["question_type"] == "multiple-choice"
    answer = choose([without_marks(o) for o in options], row["answer"], by="letter") if is_choice else _open(row)
    if isinstance(answer, Skip):
        return answer
    parts = at_marks(ask_choice(row["question"], options if is_choice else ()), numbered(row, _IMAGES))
    if parts is None:
        return Skip("the question has a mark without an image")
    part, _, subject = row["id"].partition("_")
    tags = (f"part:{part}", f"subject:{subject.rpartition('_')[0]}", f"difficulty:{row['topic_difficulty']}")
    return Sample(turns=(user(*parts),), answer=answer, task="choice_qa" if is_choice else "vqa", tags=tags)


def _open(row: Row) -> Answer:
    """An answer in words or as a number; several accepted ones are a list written as words."""
    answers = listed(row["answer"]) or (row["answer"],)
    return open_answer(answers[0], *answers[1:])


def _files(*parts: str) -> tuple[str, ...]:
    return tuple(f"{subject}/{part}-*.parquet" for part in parts for subject in SUBJECTS)


DATASET = Dataset(
    licence="Apache-2.0",
    access="open",
    modality="mixed",
    group_key="",
    group_unit="question",
    id_key="id",
    splits={"validation": 175, "test": 1752},
    rows=parquet(
        {"validation": _files("dev", "validation"), "test": _files("test")},
        fields=("id", "question", "options", "answer", "question_type", "topic_difficulty", *_IMAGES),
        images=_IMAGES,
        change=by_content,
    ),
    to_sample=to_sample,
    stages=("evaluate",),
    known_from="code",
    hub_id="MMMU/MMMU",
    citation="Yue et al. MMMU: a massive multi-discipline multimodal understanding and reasoning benchmark for expert "
    "AGI. CVPR 2024. arXiv:2311.16502",
    source_url="https://huggingface.co/datasets/MMMU/MMMU",
    layout=f"SUBJECT/{{dev,validation,test}}-*.parquet of the subjects {', '.join(SUBJECTS)}",
    notes="Validation is the published parts dev (5 a subject) and validation (30 a subject) together, the 175 "
    "questions that published scores are over; the tags `part:dev` and `part:validation` tell them apart. The "
    "answers of the test are not published: its rows are dropped and counted.",
)

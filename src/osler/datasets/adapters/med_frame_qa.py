"""MedFrameQA: choice questions that compare two to five frames of a medical teaching video.

Row: {"question_id": "...", "question": "...", "options": ["...", ...], "correct_answer": "B", "image_1": embedded, ...,
      "image_5": null, "system": "...", "organ": "...", "modality": "CT", "video_id": "..."}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.options import choose
from osler.datasets.pictures import at_marks, by_content, numbered
from osler.datasets.read import parquet
from osler.datasets.wording import ask_choice
from osler.schema.sample import Sample, user

_IMAGES = tuple(f"image_{number}" for number in range(1, 6))


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question about its frames, in order."""
    frames = numbered(row, _IMAGES)
    if not frames:
        return Skip("the images are empty")
    answer = choose(row["options"] or (), row["correct_answer"] or "", by="letter")
    if isinstance(answer, Skip):
        return answer
    parts = at_marks(ask_choice(row["question"], answer.options), frames)
    if parts is None:
        return Skip("the question has a mark without an image")
    return Sample(
        turns=(user(*parts),),
        answer=answer,
        task="choice_qa",
        modality=str(row["modality"] or "").strip().lower(),
        body_part=str(row["organ"] or "").strip().lower(),
        tags=(f"system:{row['system']}", f"images:{len(frames)}"),
    )


DATASET = Dataset(
    licence="NOASSERTION",
    access="open",
    modality="mixed",
    group_key="video_id",
    group_unit="video",
    id_key="question_id",
    splits={"test": 2851},
    rows=parquet(
        {"test": "data/test-*.parquet"},
        fields=("question_id", "question", "options", "correct_answer", "system", "organ", "modality", "video_id")
        + _IMAGES,
        images=_IMAGES,
        change=by_content,
    ),
    to_sample=to_sample,
    stages=("evaluate",),
    known_from="code",
    hub_id="SuhaoYu1020/MedFrameQA",
    citation="Yu et al. MedFrameQA: a multi-image medical VQA benchmark for clinical reasoning. arXiv:2505.16964",
    source_url="https://huggingface.co/datasets/SuhaoYu1020/MedFrameQA",
    layout="data/test-*.parquet, the frames inside",
    notes="Frames of 3,420 videos. Questions about one video share frames: compare models by video.",
)

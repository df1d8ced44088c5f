"""Volume QA: your own questions about CT and MR scans, each scan a NIfTI file or a folder with a DICOM series.

Row: {"volume": "scans/p1.nii.gz", "question": "Is there an effusion?", "answer": "yes", "patient": "p1"}
     and where known "options": ["...", "..."], "modality": "CT", "body_part": "chest", "mask": "masks/p1.nii.gz";
     a question that compares scans has a list of paths as its "volume".
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import jsonl
from osler.datasets.wording import ask_choice, closed_or_open
from osler.schema.media import MaskRef, MediaRef
from osler.schema.sample import Sample, choice, user


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question about its scans; options make it a choice, yes or no a closed question."""
    question, answer = str(row["question"]).strip(), str(row["answer"]).strip()
    options = tuple(str(option).strip() for option in row.get("options") or ())
    paths = row["volume"] if isinstance(row["volume"], list) else [row["volume"]]
    if not answer or not question:
        return Skip("the question or the answer is empty")
    if not paths or not all(isinstance(path, str) and path for path in paths):
        return Skip("no volume is named")
    if options and options.count(answer) != 1:
        return Skip("the answer is not one of the options")
    mask = MaskRef(path=row["mask"], labels=()) if row.get("mask") else None
    scans = [MediaRef(path=path, kind="volume", mask=mask if len(paths) == 1 else None) for path in paths]
    is_closed = answer.lower() in {"yes", "no"}
    return Sample(
        turns=(user(*scans, ask_choice(question, options) if options else question),),
        answer=choice(answer, options) if options else closed_or_open(answer, is_closed=is_closed),
        modality=str(row.get("modality") or ""),
        body_part=str(row.get("body_part") or "").lower(),
    )


DATASET = Dataset(
    licence="NOASSERTION",
    access="credentialed",
    modality="radiology",
    group_key="patient",
    group_unit="patient",
    known_from="file",
    splits={"train": None, "validation": None, "test": None},
    rows=jsonl("{split}.jsonl", fields=("volume", "question", "answer", "patient")),
    to_sample=to_sample,
    layout="SPLIT.jsonl with the questions, and the scans at the paths that they name",
    notes="The layout of a local folder, not a published set. Paths are below the folder. Its recipe needs a section "
    "`volumes`.",
)

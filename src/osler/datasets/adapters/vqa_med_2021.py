"""VQA-Med 2021: questions on abnormalities in radiology images of MedPix.

Train, validation: synpic52143|what is abnormal in the x-ray?|pneumothorax
Test:              synpic54733|what is abnormal in the mri?, and in a second file synpic54733|meningioma|dural mass
"""

from collections.abc import Iterator
from pathlib import Path

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.parse import Lines
from osler.datasets.read import text_lines
from osler.datasets.vqa_med import ask, wordings
from osler.schema.sample import Sample

_OLD = "VQA-Med-2020-Task1-VQAnswering-TrainVal-Sets/VQAMed2020-VQAnswering"
_NEW = "VQA-Med-2021-Tasks-1-2-NewValidationSets"
_TEST = "Task1-VQA-2021-TestSet-w-GroundTruth"
# The images of each file lie in a folder of their own.
_FOLDERS = {
    f"{_OLD}-TrainingSet/VQAnswering_2020_Train_QA_pairs.txt": f"{_OLD}-TrainingSet/VQAnswering_2020_Train_images",
    f"{_OLD}-ValidationSet/VQAnswering_2020_Val_QA_Pairs.txt": f"{_OLD}-ValidationSet/VQAnswering_2020_Val_images",
    f"{_NEW}/VQA-Med-2021-VQAnswering-Task1-New-ValidationSet.txt": (
        f"{_NEW}/ImageCLEF-2021-VQA-Med-New-Validation-Images"
    ),
    f"{_TEST}/Task1-VQA-2021-TestSet-Questions.txt": f"{_TEST}/images/VQA-500-Images",
}
_TRAIN_1, _TRAIN_2, _VALIDATION, _QUESTIONS = _FOLDERS
_REFERENCES = f"{_TEST}/Task1-VQA-2021-TestSet-ReferenceAnswers.txt"


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question."""
    return ask(row)


def with_image(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Each row's image file and accepted answers; those of the test are in a file of their own, 500 lines long."""
    references = dict(_references(root)) if split == "test" else {}
    for row in rows:
        name, question, answer = row["id"].strip(), row["rest"], ""
        if split != "test":
            question, _, answer = question.partition("|")
        answers = references.get(name, ()) if split == "test" else wordings(answer)
        image = f"{_FOLDERS[row['_file']]}/{name}.jpg"
        yield {"id": name, "question": question, "image": image, "answers": answers}


def _references(root: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    for row in Lines(("id", "answers"), "|")(root, _REFERENCES):
        if isinstance(row, dict):
            answers = [answer for part in row["answers"].split("|") for answer in wordings(part)]
            yield row["id"].strip(), tuple(dict.fromkeys(answers))


DATASET = Dataset(
    licence="CC-BY-4.0",
    access="open",
    modality="radiology",
    group_key="id",
    group_unit="image",
    splits={"train": 4500, "validation": 500, "test": 500},
    rows=text_lines(
        {"train": (_TRAIN_1, _TRAIN_2), "validation": _VALIDATION, "test": _QUESTIONS},
        fields=("id", "rest"),
        sep="|",
        file_field="_file",
        change=with_image,
    ),
    to_sample=to_sample,
    stages=("instruct", "evaluate"),
    known_from="code",
    citation="Ben Abacha et al. Overview of the VQA-Med task at ImageCLEF 2021: visual question answering and "
    "generation in the medical domain. CLEF 2021 Working Notes, CEUR-WS 2936, paper 87",
    source_url="https://github.com/abachaa/VQA-Med-2021",
    layout=f"{_OLD}-{{TrainingSet,ValidationSet}} of VQA-Med 2020, {_NEW} and {_TEST}, zip files and those inside them "
    "unpacked",
    notes="Train is the training and the validation part of VQA-Med 2020 Task 1. A test question has one or several "
    "reference answers in a second file, joined by image; one without is dropped and counted.",
)

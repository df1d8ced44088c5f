"""VQA-Med 2019: questions on modality, plane, organ and abnormality in radiology images of MedPix.

Train, validation: synpic41148|what kind of image is this?|cxr - comparison study
Test:              synpic35942|abnormality|what is the primary abnormality?|esoghageal spasm#diverticulum
"""

from collections.abc import Iterator
from pathlib import Path

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import text_lines
from osler.datasets.vqa_med import ask, wordings
from osler.schema.sample import Sample

_FOLDERS = {
    "train": "ImageClef-2019-VQA-Med-Training/Train_images",
    "validation": "ImageClef-2019-VQA-Med-Validation/Val_images",
    "test": "VQAMed2019Test/VQAMed2019_Test_Images",
}


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question; only the test rows tell their category."""
    return ask(row, tags=(f"category:{row['category']}",) if row["category"] else ())


def with_image(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Each row's image file, category, question and accepted answers; the test lines have one field more."""
    for row in rows:
        name, rest = row["id"].strip(), row["rest"]
        category, rest = rest.split("|", 1) if split == "test" and "|" in rest else ("", rest)
        question, _, answer = rest.partition("|")
        image = f"{_FOLDERS[split]}/{name}.jpg"
        yield {
            "id": name,
            "category": category.strip(),
            "question": question,
            "image": image,
            "answers": wordings(answer),
        }


DATASET = Dataset(
    licence="CC-BY-4.0",
    access="open",
    modality="radiology",
    group_key="id",
    group_unit="image",
    splits={"train": 12792, "validation": 2000, "test": 500},
    rows=text_lines(
        {
            "train": "ImageClef-2019-VQA-Med-Training/All_QA_Pairs_train.txt",
            "validation": "ImageClef-2019-VQA-Med-Validation/All_QA_Pairs_val.txt",
            "test": "VQAMed2019Test/VQAMed2019_Test_Questions_w_Ref_Answers.txt",
        },
        fields=("id", "rest"),
        sep="|",
        change=with_image,
    ),
    to_sample=to_sample,
    stages=("instruct", "evaluate"),
    known_from="file",
    citation="Ben Abacha et al. VQA-Med: overview of the medical visual question answering task at ImageCLEF 2019. "
    "CLEF 2019 Working Notes, CEUR-WS 2380, paper 272",
    source_url="https://github.com/abachaa/VQA-Med-2019",
    layout="ImageClef-2019-VQA-Med-Training/{All_QA_Pairs_train.txt,Train_images/}, ImageClef-2019-VQA-Med-Validation/"
    "{All_QA_Pairs_val.txt,Val_images/}, VQAMed2019Test/{VQAMed2019_Test_Questions_w_Ref_Answers.txt,"
    "VQAMed2019_Test_Images/}, all zip files unpacked",
    notes="3,200, 500 and 500 images. In an answer `#` separates alternatives and `( )` holds a part that may be left "
    "out: the other accepted wordings are the answer's alternatives. The test file is known from itself, the other two "
    "from code that reads them.",
)

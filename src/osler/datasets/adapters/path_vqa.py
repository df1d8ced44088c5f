"""PathVQA: questions made from the captions of pathology textbook figures, in the GitHub layout.

Row: {"Image_ID": "Fig.1", "Questions": "How are the histone subunits charged?", "Answers": "positively charged"}
"""

from osler.datasets.dataset import Dataset, Row
from osler.datasets.read import json_list
from osler.datasets.wording import closed_or_open
from osler.schema.sample import Sample, image, user


def to_sample(row: Row) -> Sample:
    """Ask the row's question; the set marks no type, so yes and no are closed and all else is open."""
    answer = str(row["Answers"])
    return Sample(
        turns=(user(image(f"{row['Image_ID']}.jpg"), str(row["Questions"]).strip()),),
        answer=closed_or_open(answer, is_closed=answer.strip().lower() in {"yes", "no"}),
    )


DATASET = Dataset(
    licence="MIT",
    access="open",
    modality="pathology",
    group_key="Image_ID",
    splits={"train": None},
    rows=json_list({"train": "data/QA_pairs_vb.json"}, fields=("Image_ID", "Questions", "Answers")),
    to_sample=to_sample,
    media_folder="images",
    citation="He et al. PathVQA: 30000+ questions for medical visual question answering. arXiv:2003.10286",
    source_url="https://github.com/UCSD-AI4H/PathVQA",
    layout="data/QA_pairs_vb.json and the textbook's figures as images/Fig.N.jpg",
    notes="This layout has no splits. The figures belong to a textbook and are not in the repository: a question "
    "whose figure is not at hand is dropped and counted.",
)

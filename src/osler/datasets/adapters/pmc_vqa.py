"""PMC-VQA: four-option questions that a language model wrote about figures of open-access articles.

Row: {"index": "0", "Figure_path": "PMC8253797_Fig4_41.jpg", "Caption": "...", "Question": "...",
      "Choice A": " A:Blue ", "Choice B": " B:Red ", "Choice C": " C:Green ", "Choice D": " D:Grey", "Answer": "B",
      "split": "train"}
Older files: no Caption; "Answer" has the words, "Answer_label" the letter
"""

import re
from collections.abc import Iterator
from pathlib import Path

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.options import choose
from osler.datasets.read import FileRows, FirstOf, csv_table
from osler.datasets.wording import ask_choice
from osler.schema.sample import Sample, image, user

_FIELDS = ("Figure_path", "Question", "Choice A", "Choice B", "Choice C", "Choice D", "Answer")


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question with its options, their `A:` taken off."""
    options = tuple(re.sub(rf"^\s*{letter}\s*:", "", row[f"Choice {letter}"]).strip() for letter in "ABCD")
    letter = (row["Answer_label"] if "Answer_label" in row else row["Answer"]).strip()
    words = re.sub(r"^\s*[A-D]\s*:", "", row["Answer"])
    answer = choose(options, letter, by="letter") if re.fullmatch("[A-D]", letter) else choose(options, words)
    if isinstance(answer, Skip):
        return answer
    return Sample(
        turns=(user(image(row["Figure_path"].strip()), ask_choice(row["Question"], answer.options)),),
        answer=answer,
        task="choice_qa",
    )


def with_article(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The article of each figure: the part of its name up to the first underscore."""
    for row in rows:
        yield {**row, "article": row["Figure_path"].strip().partition("_")[0]}


def _files(train: str, test: str) -> FileRows:
    return csv_table({"train": train, "test": test}, fields=_FIELDS, change=with_article)


DATASET = Dataset(
    licence="CC-BY-SA-4.0",
    access="open",
    modality="mixed",
    group_key="article",
    group_unit="article",
    shared_groups=True,
    splits={"train": None, "test": None},
    rows=FirstOf(
        (_files("train_2.csv", "test_2.csv"), _files("train.csv", "test.csv"), _files("train.csv", "test_clean.csv"))
    ),
    to_sample=to_sample,
    media_folder="images",
    media_archives=("images.zip", "images_2.zip"),
    stages=("instruct", "evaluate"),
    known_from="code",
    hub_id="RadGenome/PMC-VQA",
    citation="Zhang et al. PMC-VQA: visual instruction tuning for medical visual question answering. arXiv:2305.10415",
    source_url="https://huggingface.co/datasets/RadGenome/PMC-VQA",
    layout="train_2.csv and test_2.csv (or the older train.csv, test.csv, test_clean.csv), with images.zip and "
    "images_2.zip or all their figures in images/",
    notes="Two generations of files with other numbers of rows: a mirror of the older ones counts 176,948 train rows, "
    "a published recipe 188,229; test_clean.csv has 2,000 checked by hand. The splits were not cut by article.",
)

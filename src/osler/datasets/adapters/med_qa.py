"""MedQA: questions in the style of the US medical licensing examination, with four or five options.

Row: {"question": "...", "options": {"A": "...", "B": "...", "C": "...", "D": "..."}, "answer_idx": "B",
      "answer": "...", "meta_info": "step2&3", "metamap_phrases": ["..."]}
"""

from osler.datasets.choices import lettered
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import group_of
from osler.datasets.read import FirstOf, jsonl, parquet
from osler.schema.sample import Sample

_FIELDS = ("question", "options", "answer_idx", "answer", "meta_info")
_FILES = {"train": "train", "validation": "dev", "test": "test"}


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question with its options. The tags tell the exam and how many options there are."""
    options = {key: words for key, words in row["options"].items() if words is not None}
    tags = (f"options:{len(options)}", f"exam:{str(row['meta_info']).strip()}")
    group = group_of("med_qa", row["question"])
    return lettered(row["question"], options, row["answer_idx"], tags=tags, group=group)


DATASET = Dataset(
    licence="MIT",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 10178, "validation": 1272, "test": 1273},
    rows=FirstOf(
        (
            jsonl({split: f"phrases_no_exclude_{name}.jsonl" for split, name in _FILES.items()}, fields=_FIELDS),
            jsonl({s: f"4_options/phrases_no_exclude_{n}.jsonl" for s, n in _FILES.items()}, fields=_FIELDS),
            jsonl({split: f"{name}.jsonl" for split, name in _FILES.items()}, fields=_FIELDS),
            parquet({split: f"data/{name}-*.parquet" for split, name in _FILES.items()}, fields=_FIELDS),
        )
    ),
    to_sample=to_sample,
    citation="Jin et al. What disease does this patient have? A large-scale open domain question answering dataset "
    "from medical exams. Applied Sciences 11(14), 6421 (2021). arXiv:2009.13081",
    source_url="https://github.com/jind11/MedQA",
    hub_id="GBaker/MedQA-USMLE-4-options",
    layout="phrases_no_exclude_{train,dev,test}.jsonl (four options; the hub has no dev file), or the folder "
    "questions/US of the GitHub data with them in 4_options/, or train.jsonl, dev.jsonl, test.jsonl (five options)",
    stages=("instruct", "evaluate"),
    known_from="code",
    notes="Where the files with four options are there they are read, else those with five; the tags options:4 and "
    "options:5 tell. The right letter differs between the two.",
)

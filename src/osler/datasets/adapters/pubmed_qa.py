"""PubMedQA: a research question, the abstract that answers it, and yes, no or maybe.

Row: {"10808977": {"QUESTION": "...", "CONTEXTS": [...], "LABELS": [...], "YEAR": "2000",
                   "final_decision": "yes", "LONG_ANSWER": "..."}} (GitHub), or
     {"pubid": 10808977, "question": "...", "context": {"contexts": [...], "labels": [...], "meshes": [...]},
      "long_answer": "...", "final_decision": "yes"} (hub)
"""

from collections.abc import Iterator
from pathlib import Path

from osler.core.errors import InputError
from osler.core.files import read_json
from osler.datasets.dataset import Dataset, Row
from osler.datasets.read import FirstOf, json_map, parquet
from osler.schema.sample import Provenance, Sample, closed, user

_TEST_IDS = "test_ground_truth.json"
_HUB_FILE = "pqa_labeled/train-*.parquet"
_NUM_LABELLED = 1000
_LABELS = ("yes", "no", "maybe")


def to_sample(row: Row) -> Sample:
    """Give the abstract without its conclusion, then ask the question. The conclusion is not shown."""
    sections = [f"{label}: {text}" for label, text in zip(row["LABELS"], row["CONTEXTS"], strict=True)]
    pmid = row["_id"]
    url = f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"
    return Sample(
        turns=(user("\n".join([*sections, "", row["QUESTION"].strip(), "Answer yes, no or maybe."])),),
        answer=closed(row["final_decision"], labels=_LABELS),
        task="text_qa",
        group=f"pmid:{pmid}",
        provenance=Provenance(dataset="pubmed_qa", record_id=pmid, licence="MIT", source_url=url),
    )


def of_split(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of the official split: the test ids stand in a file of their own, the other labelled rows are train."""
    held = list(rows)
    ids = root / _TEST_IDS
    if not ids.is_file() and (split == "test" or len(held) >= _NUM_LABELLED):
        raise InputError(
            f"{root} lacks {_TEST_IDS}, which alone tells the test split from train",
            fix=f"Copy it there from https://github.com/pubmedqa/pubmedqa, folder data: {_TEST_IDS}.",
        )
    test = set(read_json(ids)) if ids.is_file() else set()
    yield from (row for row in held if (row["_id"] in test) == (split == "test"))


def from_hub(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The hub's rows of all 1,000 labelled questions under the names of the GitHub file, then those of the split."""
    return of_split(root, split, map(_as_on_github, rows))


def _as_on_github(row: Row) -> Row:
    context = row["context"]
    return {
        "_id": str(row["pubid"]),
        "QUESTION": row["question"],
        "CONTEXTS": context["contexts"],
        "LABELS": context["labels"],
        "final_decision": row["final_decision"],
        "LONG_ANSWER": row["long_answer"],
    }


DATASET = Dataset(
    licence="MIT",
    access="open",
    modality="text",
    group_key="_id",
    id_key="_id",
    splits={"train": 500, "test": 500},
    rows=FirstOf(
        (
            json_map(
                {"train": "ori_pqal.json", "test": "ori_pqal.json"},
                fields=("QUESTION", "CONTEXTS", "LABELS", "final_decision", "LONG_ANSWER"),
                change=of_split,
            ),
            parquet(
                {"train": _HUB_FILE, "test": _HUB_FILE},
                fields=("pubid", "question", "context", "long_answer", "final_decision"),
                change=from_hub,
            ),
        )
    ),
    to_sample=to_sample,
    citation="Jin et al. PubMedQA: a dataset for biomedical research question answering. EMNLP 2019. arXiv:1909.06146",
    source_url="https://github.com/pubmedqa/pubmedqa",
    hub_id="qiaojin/PubMedQA",
    layout="ori_pqal.json, or the hub's pqa_labeled/train-*.parquet, and test_ground_truth.json, which only GitHub has",
    stages=("instruct", "evaluate"),
    group_unit="article",
    known_from="file",
    notes="The labels are unbalanced (55 % yes, 34 % no, 11 % maybe): read macro-F1 beside the accuracy.",
)

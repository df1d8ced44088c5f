import json

import pytest

from osler.core.errors import InputError
from osler.datasets.adapters.pubmed_qa import DATASET
from osler.datasets.dataset import read_drafts


def write(root, count):
    row = {"QUESTION": "Does it?", "CONTEXTS": ["We asked."], "LABELS": ["AIMS"], "LONG_ANSWER": "It does."}
    rows = {str(n): {**row, "final_decision": "yes"} for n in range(count)}
    (root / "ori_pqal.json").write_text(json.dumps(rows))


def test_all_records_without_the_test_ids_are_refused(tmp_path):
    write(tmp_path, 1000)
    with pytest.raises(InputError, match="lacks test_ground_truth.json, which alone tells the test split"):
        list(read_drafts(DATASET, "pubmed_qa", tmp_path, split="train"))


def test_the_test_split_needs_its_ids(tmp_path):
    write(tmp_path, 5)
    assert len(list(read_drafts(DATASET, "pubmed_qa", tmp_path, split="train"))) == 5
    with pytest.raises(InputError, match="lacks test_ground_truth.json"):
        list(read_drafts(DATASET, "pubmed_qa", tmp_path, split="test"))


def test_the_conclusion_is_not_shown(tmp_path):
    write(tmp_path, 1)
    sample = next(read_drafts(DATASET, "pubmed_qa", tmp_path, split="train")).sample
    assert "It does." not in sample.question and sample.group == "pmid:0"
    assert sample.provenance.source_url == "https://pubmed.ncbi.nlm.nih.gov/0/"

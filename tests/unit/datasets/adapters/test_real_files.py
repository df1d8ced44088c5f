"""The adapters on the owners' own files, as far as they are at hand."""

from collections import Counter

import pytest

from osler.core.catalog import ADAPTERS
from osler.datasets.dataset import read_drafts

CASES = [
    ("vqa_rad", "vqa_rad", "train", 811, {"closed": 532, "open": 279}),
    ("vqa_rad", "vqa_rad", "test", 127, {"closed": 87, "open": 40}),
    ("slake", "slake_text/Slake1.0", "validation", 2099, {"closed": 844, "open": 1255}),
    ("path_vqa", "pathvqa_text", "train", 5429, {"closed": 2852, "open": 2577}),
    ("pubmed_qa", "pubmedqa", "train", 500, {"closed": 500}),
    ("med_mcqa", "mirage_raw/rawdata/medmcqa/data", "validation", 4183, {"choice": 4179}),
    ("covid_chestxray", "covid_chestxray", "train", 24, {"text": 24}),
]


@pytest.mark.parametrize(("name", "folder", "split", "num_rows", "kinds"), CASES)
def test_published_files_become_samples(test_data, name, folder, split, num_rows, kinds):
    root = test_data / folder
    if not root.is_dir():
        pytest.skip(f"no {folder} among the real files")
    drafts = list(read_drafts(ADAPTERS.load(name), name, root, split=split))
    assert len(drafts) == num_rows and len({draft.id for draft in drafts}) == num_rows
    assert Counter(draft.sample.answer.kind for draft in drafts if draft.sample) == kinds


def test_each_covid_image_has_its_own_licence(test_data):
    root = test_data / "covid_chestxray"
    if not root.is_dir():
        pytest.skip("no covid_chestxray among the real files")
    drafts = read_drafts(ADAPTERS.load("covid_chestxray"), "covid_chestxray", root, split="train")
    samples = [draft.sample for draft in drafts]
    licences = Counter(sample.provenance.licence for sample in samples)
    assert licences == {"CC BY-NC-SA": 18, "CC BY-NC-ND": 6}
    assert all(sample.answer.text and (root / "images" / sample.media[0].path).is_file() for sample in samples)

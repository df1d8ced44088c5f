from collections import Counter

import pytest

from osler.datasets.adapters.vqa_med_2019 import DATASET
from osler.datasets.dataset import read_drafts


def test_the_published_test_set(test_data):
    root = test_data / "vqamed2019_text"
    if not root.is_dir():
        pytest.skip("no vqamed2019_text among the real files")
    samples = [draft.sample for draft in read_drafts(DATASET, "vqa_med_2019", root, split="test")]
    assert len(samples) == DATASET.splits["test"] and all(samples)
    assert Counter(sample.tags for sample in samples) == {
        (f"category:{name}",): 125 for name in ("modality", "plane", "organ", "abnormality")
    }
    assert Counter(sample.answer.kind for sample in samples) == {"open": 436, "closed": 64}
    assert sum(bool(sample.answer.alternatives) for sample in samples) == 32
    by_image = {sample.media[0].path.rpartition("/")[2]: sample.answer for sample in samples}
    assert by_image["synpic12184.jpg"].alternatives == ("genitourinary", "spine and contents", "musculoskeletal")
    assert "septic cerebral emboli" in by_image["synpic35171.jpg"].alternatives

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from osler.core.log import Log
from osler.core.settings import read_settings
from osler.curate.run import parse, run
from osler.datasets.adapters.roco import DATASET
from osler.datasets.dataset import read_drafts
from osler.store.reader import Store

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "roco"


def test_each_figure_has_its_own_licence_article_and_kind():
    samples = {
        d.sample.provenance.record_id: d.sample
        for d in read_drafts(DATASET, "roco", FIXTURE, split="train")
        if d.sample
    }
    found = {id: (s.provenance.licence, s.group, s.tags, s.modality) for id, s in samples.items()}
    assert found == {
        "ROCO_00001": ("CC-BY", "pmc:PMC10", ("kind:radiology",), "radiology"),
        "ROCO_00002": ("NOASSERTION", "pmc:PMC10", ("kind:radiology",), "radiology"),
        "ROCO_80001": ("CC-BY-NC-SA", "pmc:PMC12", ("kind:non-radiology",), "mixed"),
    }
    assert samples["ROCO_00001"].provenance.source_url.endswith("/PMC10/")


def test_a_figure_that_was_not_fetched_is_dropped_and_counted(tmp_path):
    root = tmp_path / "roco"
    for path in FIXTURE.rglob("*.*"):
        if path.name not in ("ROCO_00002.jpg", "contract.json"):
            (root / path.relative_to(FIXTURE)).parent.mkdir(parents=True, exist_ok=True)
            (root / path.relative_to(FIXTURE)).write_bytes(path.read_bytes())
    recipe = {
        "datasets": [
            {"name": "roco", "root": str(root), "splits": ["train", "validation"], "agreement": {"research": "a test"}}
        ],
        "operators": ["drop_missing_image"],
        "num_workers": 0,
    }
    counts = run(parse(recipe), tmp_path / "out", device="cpu", log=Log(quiet=True)).counts
    assert (counts["samples"], counts["drops"]) == (3, 2)
    drops = pq.read_table(tmp_path / "out" / "drops.parquet").to_pylist()
    missing = "image missing: data/train/radiology/images/ROCO_00002.jpg"
    assert {drop["reason"] for drop in drops} == {"empty caption", missing}
    rows = sum(len(path.read_text().splitlines()) for path in root.rglob("captions.txt"))
    assert counts["samples"] + counts["drops"] == rows == 5
    kept = [
        sample.provenance.licence
        for split in ("train", "validation")
        for r in Store(tmp_path / "out").records(split)
        for sample in r.samples
    ]
    assert sorted(kept) == ["CC-BY", "CC-BY-NC", "CC-BY-NC-SA"]


def test_the_published_files():
    root = read_settings().test_data
    if root is None or not (Path(root) / "roco_text").is_dir():
        pytest.skip("the published text files of ROCO are not at hand")
    found = [d.sample for d in read_drafts(DATASET, "roco", Path(root) / "roco_text", split="validation")]
    assert all(found) and not any(s.answer.text.startswith(" ") for s in found)
    assert Counter(s.tags[0] for s in found) == {"kind:radiology": 1500, "kind:non-radiology": 611}
    assert Counter(s.provenance.licence for s in found) == {
        "CC-BY": 891,
        "CC-BY-NC": 338,
        "CC-BY-NC-SA": 367,
        "CC-BY-NC-ND": 233,
        "CC-BY-ND": 4,
        "CC0-1.0": 2,
        "NOASSERTION": 276,
    }
    assert all(s.group.startswith("pmc:PMC") for s in found)

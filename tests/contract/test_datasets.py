"""What every dataset adapter owes: a declaration that is whole, stable ids, groups, licences, and errors that help.

An adapter brings `tests/fixtures/datasets/NAME/`: a few rows in the published layout, and `contract.json` with the
samples of each split (`counts`), reasons of skipped rows (`skips`), worked examples, and `shared_groups: true` where
the official splits share groups.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pyarrow.parquet as pq
import pytest

from osler.core.catalog import ADAPTERS
from osler.core.errors import InputError
from osler.datasets.dataset import Dataset, read_drafts
from osler.datasets.media import read_media
from osler.media.image import check_image
from osler.media.volume_file import read_volume
from osler.schema.sample import Access, Split

# A user's own files: nobody published them.
LOCAL = {"csv", "dicom_folder", "folder", "npz", "phantom", "volume_qa"}
# In no published recipe.
UNUSED = {"covid_chestxray", "jats_articles"}
# Sets that are published for their reasoning. huatuo_o1_verifiable has problems only; huatuo_o1_sft the reasoning.
REASONING = {
    "gemex_thinkvg", "gmai_reasoning", "huatuo_o1_sft", "ii_medical_reasoning", "med_reason", "med_thoughts",
    "medical_r1_distill", "open_med_reason", "reason_med",
}  # fmt: skip
MARKS = re.compile(r"</?(?:think|thinkVG|answer|response)>|^#+ *(?:thinking|final response)", re.I | re.M)
FIXTURES = Path(__file__).parents[1] / "fixtures" / "datasets"


@pytest.fixture(params=ADAPTERS.names())
def name(request) -> str:
    return request.param


@pytest.fixture
def dataset(name) -> Dataset:
    return ADAPTERS.load(name)


@pytest.fixture
def contract(name) -> dict:
    return json.loads((FIXTURES / name / "contract.json").read_text(encoding="utf-8"))


def drafts(name: str, dataset: Dataset, split: str) -> list:
    return list(read_drafts(dataset, name, FIXTURES / name, split=split))


def test_the_declaration_is_whole(name, dataset):
    assert isinstance(dataset, Dataset) and dataset.licence and dataset.access in get_args(Access)
    assert dataset.modality and dataset.layout and set(dataset.splits) <= set(get_args(Split))
    assert all(count is None or count > 0 for count in dataset.splits.values())
    assert dataset.citation and dataset.source_url.startswith("https://") or name in LOCAL
    assert ADAPTERS.summary(name)


def test_a_published_set_says_where_it_is_used_and_what_its_groups_are(name, dataset):
    assert dataset.known_from in {"file", "code", "card"}
    assert set(dataset.stages) <= {"align", "midtrain", "instruct", "evaluate", "classify"}
    assert dataset.stages or name in LOCAL or name in UNUSED
    assert dataset.group_unit or name in LOCAL, "what a group is: patient, study, article, image, video, question"
    assert "/" in dataset.hub_id or not dataset.hub_id


def test_samples_have_ids_groups_and_licences(name, dataset, contract):
    seen: set[str] = set()
    for split in dataset.splits:
        found = drafts(name, dataset, split) if split in contract["counts"] else []
        samples = [draft.sample for draft in found if draft.sample]
        assert len(samples) == contract["counts"].get(split, 0)
        assert [draft.skip for draft in found if draft.skip] == contract.get("skips", {}).get(split, [])
        for sample in samples:
            assert re.fullmatch(rf"{name}/{split}/\S+", sample.id) and sample.id not in seen
            seen.add(sample.id)
            assert sample.split == split and sample.group and sample.modality and sample.question
            assert sample.provenance.licence and sample.provenance.record_id and sample.provenance.dataset == name
        assert drafts(name, dataset, split) == found if found else True


def test_splits_share_no_group_unless_said(name, dataset, contract):
    groups = [{d.sample.group for d in drafts(name, dataset, s) if d.sample} for s in contract["counts"]]
    shared = [a & b for n, a in enumerate(groups) for b in groups[n + 1 :]]
    assert any(shared) == contract.get("shared_groups", False)
    assert not any(shared) or dataset.shared_groups, "the declaration must say so, too"


def test_worked_examples(name, dataset, contract):
    samples = {d.id: d.sample for split in contract["counts"] for d in drafts(name, dataset, split)}
    assert contract["examples"]
    for id, example in contract["examples"].items():
        got = {"question": samples[id].question, "answer": samples[id].answer.text, "kind": samples[id].answer.kind}
        assert got == example


def test_images_are_found_and_decode(name, dataset, contract):
    folder = FIXTURES / name
    for split in contract["counts"]:
        for draft in drafts(name, dataset, split):
            for ref in draft.sample.media if draft.sample else ():
                if ref.kind == "volume":
                    assert read_volume(folder / ref.path).orientation == "RAS"
                    continue
                check_image(read_media(folder, draft.places.get(ref.path, ref.path)))


def test_an_unknown_split_and_a_missing_folder_are_named(name, dataset, tmp_path):
    split = next(iter(dataset.splits))
    wrong = split[:-2] + split[:-3:-1]
    with pytest.raises(InputError, match=f"split '{wrong}' not in {name}; it has .*Did you mean '{split}'"):
        next(read_drafts(dataset, name, FIXTURES / name, split=wrong))
    with pytest.raises(InputError, match="as published"):
        next(read_drafts(dataset, name, tmp_path / "none", split=split))
    with pytest.raises(InputError, match="lacks .*as published"):
        next(read_drafts(dataset, name, tmp_path, split=split))


@pytest.mark.parametrize("name", sorted(REASONING))
def test_a_reasoning_set_keeps_reasoning_and_final_words_apart(name, contract):
    """One form for all: the trace in `reasoning`, the last words in `answer`, marks of the published in neither."""
    dataset = ADAPTERS.load(name)
    samples = [d.sample for split in contract["counts"] for d in drafts(name, dataset, split) if d.sample]
    assert any(sample.reasoning for sample in samples)
    for sample in samples:
        for text in (sample.reasoning, sample.answer.text):
            assert text == text.strip() and not MARKS.search(text), (sample.id, text)


def test_adapters_load_without_an_accelerator_stack():
    code = (
        "import sys; from osler.core.catalog import ADAPTERS; [ADAPTERS.load(n) for n in ADAPTERS.names()];"
        "sys.exit(bool({'torch', 'transformers', 'datasets'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_row_is_kept_or_dropped_with_a_reason(name, contract, tmp_path):
    from osler.core.log import Log
    from osler.curate.run import parse, run

    entry = {
        "name": name,
        "root": str(FIXTURES / name),
        "splits": list(contract["counts"]),
        "agreement": {"research": "a test"},
    }
    recipe = {"datasets": [entry], "operators": ["drop_missing_image", "drop_broken_image"], "num_workers": 0}
    if name == "volume_qa":
        recipe["volumes"] = {"plane": "axial", "rule": "uniform", "count": 2, "window": {"center": 0, "width": 2000}}
    counts = run(parse(recipe), tmp_path, device="cpu", log=Log(quiet=True)).counts
    dataset = ADAPTERS.load(name)
    num_rows = sum(len(drafts(name, dataset, split)) for split in contract["counts"])
    drops = pq.read_table(tmp_path / "drops.parquet").to_pylist()
    assert counts["samples"] + len(drops) == num_rows > 0 and counts["samples"] > 0
    assert all(row["rule"] and row["reason"] for row in drops)

import json
from collections import Counter
from dataclasses import replace

import pytest

from osler.core.catalog import ADAPTERS
from osler.core.errors import InputError
from osler.datasets.dataset import Dataset, Skip, read_drafts
from osler.datasets.read import json_list
from osler.schema.sample import Provenance, Sample, closed, image, user

ROWS = [
    {"file": "a.png", "question": "Is it?", "answer": "yes", "person": "p1", "n": 7},
    {"file": "b.png", "question": "Is it?", "answer": "", "person": "p2", "n": 8},
    {"file": "c.png", "question": "Is it?", "answer": "no", "person": "p3", "n": 9},
]


def to_sample(row):
    if not row["answer"]:
        return Skip("no answer")
    return Sample(turns=(user(image(row["file"]), row["question"]),), answer=closed(row["answer"]))


TOY = Dataset(
    licence="CC0-1.0",
    access="open",
    modality="x-ray",
    body_part="chest",
    group_key="person",
    splits={"train": 3, "test": 1},
    rows=json_list({"train": "train.json", "test": "test.json"}, fields=("file", "question", "answer", "person")),
    to_sample=to_sample,
    source_url="https://example.org/toy",
    layout="train.json, test.json",
)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "train.json").write_text(json.dumps(ROWS))
    return tmp_path


def test_a_sample_gets_what_the_adapter_left_out(root):
    first, skipped, last = read_drafts(TOY, "toy", root, split="train")
    assert first.id == "toy/train/000000" and first.sample.id == first.id
    assert (first.sample.split, first.sample.group) == ("train", "toy/p1")
    assert (first.sample.modality, first.sample.body_part) == ("x-ray", "chest")
    assert first.sample.provenance == Provenance(
        dataset="toy", record_id="000000", licence="CC0-1.0", source_url="https://example.org/toy"
    )
    assert (skipped.sample, skipped.id, skipped.skip) == (None, "toy/train/000001", "no answer")
    assert last.id == "toy/train/000002", "a skipped row keeps its number"


def test_what_the_adapter_set_stays(root):
    def own(row):
        origin = Provenance(dataset="toy", record_id="x", licence="CC-BY-4.0")
        return Sample(turns=(user("?"),), answer=closed("yes"), group="pmid:1", modality="ct", provenance=origin)

    sample = next(read_drafts(replace(TOY, to_sample=own, id_key="n"), "toy", root, split="train")).sample
    assert (sample.id, sample.group, sample.modality, sample.provenance.licence) == (
        *("toy/train/7", "pmid:1", "ct", "CC-BY-4.0"),
    )


def test_a_limit_reads_that_many_rows(root):
    assert [d.id for d in read_drafts(TOY, "toy", root, split="train", limit=2)] == [
        *("toy/train/000000", "toy/train/000001"),
    ]


def test_an_unknown_split_names_the_nearest(root):
    with pytest.raises(InputError, match="split 'tests' not in toy; it has train, test. Did you mean 'test'"):
        next(read_drafts(TOY, "toy", root, split="tests"))


def test_a_missing_folder_or_file_tells_the_published_layout(root):
    with pytest.raises(
        InputError, match="no folder .*gone with dataset toy. Put it there as published: train.json, te"
    ):
        next(read_drafts(TOY, "toy", root / "gone", split="train"))
    with pytest.raises(InputError, match="split 'test' of dataset toy lacks .*test.json.*https://example.org/toy"):
        next(read_drafts(TOY, "toy", root, split="test"))


def test_other_names_of_the_held_out_split_are_understood(root):
    with pytest.raises(InputError, match="split 'val' not in toy; it has train, test. Did you mean 'test'"):
        next(read_drafts(TOY, "toy", root, split="val"))


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


def test_rows_that_only_a_number_names_share_no_group_across_splits(tmp_path):
    for split in ("train", "test"):
        (tmp_path / f"{split}.json").write_text(json.dumps([{"q": "Which?"}]))
    lone = Dataset(
        licence="MIT",
        access="open",
        modality="text",
        group_key="",
        splits={"train": 1, "test": 1},
        rows=json_list("{split}.json", fields=("q",)),
        to_sample=lambda row: Sample(turns=(user(row["q"]),), answer=closed("yes")),
    )
    groups = [next(read_drafts(lone, "lone", tmp_path, split=split)).sample.group for split in ("train", "test")]
    assert groups == ["lone/train/000000", "lone/test/000000"]

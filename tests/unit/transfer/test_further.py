"""The optional sections of `osler transfer` as a whole: run on a few drawn films, cut, gone on with, and refused."""

import json

import pytest

from osler.core.catalog import DUALS
from osler.core.errors import InputError
from osler.core.log import Log
from osler.model import dual
from osler.synth import run as synth
from osler.transfer import run as transfer

QUIET = Log(quiet=True)
SECTIONS = ("zero_shot", "retrieval", "robustness", "understanding")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Films, pairs of films, and a pair of towers with random weights."""
    folder = tmp_path_factory.mktemp("further")
    films = {"generator": "phantom", "num_patients": 14, "image_px": 48, "splits": {"train": 0.6, "test": 0.4}}
    pairs = {"generator": "phantom_pairs", "num_pairs": 12, "image_px": 48, "factors": ["side", "count"]}
    synth.run(synth.parse(films), folder / "films", device="cpu", log=QUIET)
    synth.run(synth.parse(pairs), folder / "pairs", device="cpu", log=QUIET)
    dual.save(DUALS.load("tiny").build(["PA chest film: normal."] * 40, seed=0), folder / "dual")
    return folder


def recipe(world, **changes):
    whole = {
        "encoders": [
            {"name": "random", "encoder": "tiny"},
            {"name": "dual", "encoder": "tiny", "folder": world / "dual"},
        ],
        "sets": [{"name": "effusion", "shards": world / "films", "task": "phantom_checklist", "target": "effusion"}],
        "probes": ["linear"],
        "zero_shot": {},
        "retrieval": {
            "stores": [{"name": "films", "shards": world / "films", "tasks": ["phantom_caption"], "max_images": 6}],
            "at": [1, 2],
        },
        "robustness": {"corruptions": ["jpeg", "collimation"], "severities": [1, 5], "max_images": 6},
        "understanding": {"shards": world / "pairs"},
        "num_threads": 1,
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def run(world, out, **changes):
    config = transfer.parse(recipe(world, **changes))
    transfer.run(config, out, device="cpu", log=QUIET)
    return json.loads((out / "results.json").read_text())


@pytest.fixture(scope="module")
def done(world, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, run(world, out)


def tasks(results, model):
    return {(each["task"], each["metric"]) for each in results if each["model"] == model}


def test_every_section_gives_records_with_intervals_and_chance(done):
    _, results = done
    of_dual, of_random = tasks(results, "dual"), tasks(results, "random")
    assert ("effusion/zero_shot", "macro_f1") in of_dual - of_random
    assert ("effusion/zero_shot", "macro_f1_prompt_range") in of_dual - of_random
    assert ("films/retrieval/text_to_image", "recall_at_2") in of_dual - of_random
    assert ("effusion/robustness/jpeg/5", "balanced_accuracy") in of_dual & of_random
    assert ("effusion/robustness", "relative_robustness") in of_dual & of_random
    assert ("phantom_pairs/understanding/probe/count", "choice_accuracy") in of_dual & of_random
    assert ("phantom_pairs/understanding/captions/side", "pair_accuracy") in of_dual - of_random
    recall = next(each for each in results if each["metric"] == "recall_at_1")
    assert 0 < recall["baseline"]["chance"]["value"] < 1
    assert recall["n"] >= 2
    assert all(each["protocol_sha256"] for each in results)


def test_every_section_has_a_hash_of_its_own(done):
    _, results = done
    hashes = {}
    for each in results:
        name = next((part for part in SECTIONS if f"/{part}" in each["task"]), "probes")
        hashes.setdefault(name, set()).add(each["protocol_sha256"])
    assert all(len(each) == 1 for each in hashes.values())
    assert len(set.union(*hashes.values())) == 5


def test_a_contact_sheet_is_kept_of_each_set(done):
    sheet = done[0] / "sheets" / "effusion.jpg"
    assert sheet.read_bytes()[:2] == b"\xff\xd8"


def test_a_run_that_was_cut_ends_with_the_same_results(world, done):
    out, results = done
    tables = sorted((out / "sections").rglob("*.parquet"))
    assert len(tables) == 5
    kept = tables[0].stat().st_mtime_ns
    tables[-1].unlink()
    for path in (out / "predictions").rglob("zero_shot-3.parquet"):
        path.unlink()
    assert run(world, out) == results
    assert tables[0].stat().st_mtime_ns == kept


def test_two_ranks_share_the_corrupted_images(world, done, tmp_path):
    config = {"zero_shot": None, "retrieval": None, "understanding": None}
    ranks = [transfer.parse(recipe(world, executor={"kind": "rank", "rank": n, "world": 2}, **config)) for n in (0, 1)]
    outcomes = [transfer.run(each, tmp_path, device="cpu", log=QUIET) for each in (*ranks, ranks[0])]
    assert outcomes[-1].is_finished
    alone = [each for each in done[1] if "robustness" in each["task"]]
    shared = [each for each in json.loads((tmp_path / "results.json").read_text()) if "robustness" in each["task"]]
    assert alone == shared


def test_other_settings_change_the_hash_and_other_encoders_do_not(world, done, tmp_path):
    only = {"features": done[0] / "features", "zero_shot": None, "retrieval": None, "understanding": None, "probes": []}
    robust = {"corruptions": ["jpeg", "collimation"], "severities": [1, 5], "max_images": 6, "encoders": ["random"]}
    same = run(world, tmp_path / "a", robustness=robust, **only)
    other = run(world, tmp_path / "b", robustness={**robust, "picture_px": 32}, **only)
    found = [
        {each["protocol_sha256"] for each in part if "robustness" in each["task"]} for part in (done[1], same, other)
    ]
    assert found[0] == found[1] != found[2]
    assert {each["model"] for each in same} == {"random"}


def test_retrieval_needs_no_labelled_set(world, done, tmp_path):
    kept = {"features": done[0] / "features"}
    found = run(world, tmp_path, **kept, sets=None, robustness=None, zero_shot=None, understanding=None)
    assert {each["task"] for each in found} == {"films/retrieval/image_to_text", "films/retrieval/text_to_image"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"zero_shot": {"encoders": ["random"]}},
            "zero_shot needs an encoder that reads words; expected an encoder with a text tower.*got random: .*"
            "Name others in zero_shot.encoders",
        ),
        ({"encoders": [{"name": "random", "encoder": "tiny"}]}, "zero_shot needs an encoder that reads words.*random"),
        (
            {"zero_shot": {"prompts": {"effusion": {"words": {"effusion": ["fluid"]}}}}},
            "class 'no effusion' has no prompt",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_an_image_is_encoded(world, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        run(world, tmp_path, **changes)
    assert not list(tmp_path.glob("features/*/*"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zero_shot": {"sets": ["efusion"]}}, "zero_shot.sets names 'efusion'.*Did you mean 'effusion'"),
        ({"robustness": {"corruptions": ["jpg"]}}, "unknown corruption 'jpg'"),
        ({"robustness": {"severities": [0]}}, "severities"),
        ({"robustness": {"severities": [1, 1]}}, "severities must differ"),
        ({"robustness": {"encoders": ["dul"]}}, "robustness.encoders names 'dul'.*Did you mean 'dual'"),
        ({"understanding": {"shards": "x", "split": "train"}}, "split and probe_split must differ"),
        ({"retrieval": {"stores": []}}, "stores"),
        ({"sets": None, **dict.fromkeys(SECTIONS)}, "nothing to measure"),
    ],
)
def test_a_wrong_recipe_is_refused(world, changes, message):
    with pytest.raises(InputError, match=message):
        transfer.parse(recipe(world, **changes))

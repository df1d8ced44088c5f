import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from osler.core import files
from osler.core.errors import DiskFullError, InputError
from osler.core.log import Log
from osler.curate.run import inputs, parse, run
from osler.store.reader import Store

FIXTURES = Path(__file__).parents[2] / "fixtures" / "datasets"
QUIET = Log(quiet=True)


def recipe(root: Path = FIXTURES / "vqa_rad", name: str = "vqa_rad", splits=("train", "test"), **fields) -> dict:
    base = {"datasets": [{"name": name, "root": str(root), "splits": list(splits)}], "shard_records": 2}
    return {**base, "operators": ["drop_broken_image", {"drop_empty_text": {"min_chars": 1}}], **fields}


def curate(out: Path, **fields):
    return run(parse(recipe(**fields)), out, device="cpu", log=QUIET)


def tree(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def drops(out: Path) -> list[dict]:
    return pq.read_table(out / "drops.parquet").to_pylist()


@pytest.fixture
def broken(tmp_path) -> Path:
    """VQA-RAD with one image cut, one gone and one empty question."""
    root = tmp_path / "broken"
    shutil.copytree(FIXTURES / "vqa_rad", root)
    image = root / "images" / "synpic2.jpg"
    image.write_bytes(image.read_bytes()[:-60])
    (root / "images" / "synpic3.jpg").unlink()
    rows = json.loads((root / "trainset.json").read_text())
    rows[0]["question"] = " "
    (root / "trainset.json").write_text(json.dumps(rows))
    return root


def test_records_hold_all_questions_about_their_images(tmp_path):
    outcome = curate(tmp_path)
    assert outcome.counts == {
        "shards": 2,
        "records": 4,
        "samples": 6,
        "drops": 0,
        "split_overlap_images": 1,
        "split_overlap_groups": 1,
    }
    store = Store(tmp_path)
    record = next(store.records("train"))
    assert [s.id for s in record.samples] == ["vqa_rad/train/1", "vqa_rad/train/3"]
    assert record.key.startswith("vqa_rad-train-synpic1-") and list(record.files) == [f"{record.key}.0.jpg"]
    row = store.table("test").to_pylist()[0]
    assert (row["widths"], row["heights"], row["dataset"], row["tiles"]) == ([24], [18], "vqa_rad", 13)
    assert json.loads((tmp_path / "overlap.json").read_text()) == {"train|test": 1}
    assert "train and test | 1 | 1" in (tmp_path / "card.md").read_text()


def test_bytes_are_the_same_whatever_the_workers(tmp_path):
    curate(tmp_path / "one", num_workers=0)
    curate(tmp_path / "two", num_workers=2)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_rerun_skips_what_is_finished_and_repairs_what_is_not(tmp_path):
    curate(tmp_path)
    whole = tree(tmp_path)
    (tmp_path / "index" / "test-00000.parquet").unlink()
    (tmp_path / "shards" / "test-00000.tar").write_bytes(b"torn")
    (tmp_path / "card.md").unlink()
    kept = tmp_path / "shards" / "train-00000.tar"
    before = kept.stat().st_mtime_ns
    curate(tmp_path)
    assert tree(tmp_path) == whole and kept.stat().st_mtime_ns == before


def test_a_kill_loses_nothing_that_was_finished(tmp_path):
    """The process kills itself, as hard as can be, right after its first shard; the rerun ends as if uncut."""
    code = f"""
import os, signal
from pathlib import Path
from osler.core.log import Log
from osler.curate import engine, run
real = engine.make_shard
def cut(job, **more):
    if job.split == "test":
        (more["room"] / "test-00000.tar").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    return real(job, **more)
engine.make_shard = cut
run.run(run.parse({recipe()!r}), Path({str(tmp_path / "cut")!r}), device="cpu", log=Log(quiet=True))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    first = tmp_path / "cut" / "shards" / "train-00000.tar"
    before = first.stat().st_mtime_ns
    curate(tmp_path / "cut")
    curate(tmp_path / "whole")
    assert tree(tmp_path / "cut") == tree(tmp_path / "whole") and first.stat().st_mtime_ns == before


def test_every_drop_is_named_and_counted(tmp_path, broken):
    operators = ["drop_missing_image", *recipe()["operators"]]
    outcome = curate(tmp_path / "out", root=broken, operators=operators)
    rows = {row["id"]: (row["rule"], row["reason"]) for row in drops(tmp_path / "out")}
    assert outcome.counts["drops"] == len(rows) == 4 and outcome.counts["samples"] == 2
    assert rows["vqa_rad/train/1"] == ("drop_empty_text", "empty question")
    assert rows["vqa_rad/test/6"] == ("drop_missing_image", "image missing: synpic3.jpg")
    for id in ("vqa_rad/train/2", "vqa_rad/train/4"):
        assert rows[id][0] == "drop_broken_image" and "image broken: synpic2.jpg" in rows[id][1]
    card = (tmp_path / "out" / "card.md").read_text()
    assert "| drop_broken_image | image broken | 2 |" in card and "| drop_missing_image | image missing | 1 |" in card


def test_without_the_operator_a_missing_file_ends_the_run(tmp_path, broken):
    with pytest.raises(InputError, match="synpic3.jpg of sample 'vqa_rad/test/6' is missing.*drop_missing_image"):
        curate(tmp_path / "out", root=broken)


def test_without_the_operator_a_file_that_is_no_image_ends_the_run(tmp_path, broken):
    (broken / "images" / "synpic1.jpg").write_bytes(b"<html>")
    with pytest.raises(InputError, match="'vqa_rad/train/1': .*synpic1.jpg: image is no image file.*drop_broken_image"):
        curate(tmp_path / "out", root=broken, operators=[])


def test_nothing_left_is_said(tmp_path, capsys):
    root = tmp_path / "slake"
    shutil.copytree(FIXTURES / "slake", root)
    shutil.rmtree(root / "imgs")
    config = parse(recipe(root, "slake", ["train"], operators=["drop_missing_image"]))
    outcome = run(config, tmp_path / "out", device="cpu", log=QUIET)
    assert outcome.counts["samples"] == 0 and outcome.counts["drops"] == 3
    assert "no sample was kept" in capsys.readouterr().err
    assert "No sample was kept" in (tmp_path / "out" / "card.md").read_text()
    assert run(config, tmp_path / "out", device="cpu", log=QUIET) == outcome


def test_tags_select_and_what_they_leave_is_counted(tmp_path):
    entry = {"name": "slake", "root": str(FIXTURES / "slake"), "splits": ["train"], "tags": ["lang:en"]}
    outcome = curate(tmp_path, datasets=[entry])
    assert (outcome.counts["samples"], outcome.counts["drops"]) == (2, 1)
    assert drops(tmp_path)[0] == {
        "id": "slake/train/1",
        "rule": "select_tags",
        "reason": "tag not selected: lacks lang:en",
        "matched_id": "",
        "score": None,
    }


def test_rows_that_an_adapter_skips_are_counted(tmp_path):
    curate(tmp_path, root=FIXTURES / "med_mcqa", name="med_mcqa", splits=["validation", "test"])
    assert [(row["id"], row["rule"], row["reason"]) for row in drops(tmp_path)] == [
        ("med_mcqa/validation/b2", "adapter", "two options have the words of the right one"),
        ("med_mcqa/test/c1", "adapter", "the answer is not published"),
    ]


def test_phantom_records_come_through_byte_for_byte(tmp_path):
    tiles = {"tile_px": 96, "max_tiles": 1}
    curate(tmp_path, root=FIXTURES / "phantom", name="phantom", shard_records=512, tiles=tiles)
    for split in ("train", "test"):
        name = f"shards/{split}-00000.tar"
        assert (tmp_path / name).read_bytes() == (FIXTURES / "phantom" / name).read_bytes()
    store = Store(tmp_path)
    row = store.rows(store.table("train"), [0])[0]
    assert store.sample(row).media[0].window.width == 4096 and store.masks(row)[0].startswith(b"\x89PNG")


def test_two_samples_with_one_id_end_the_run_or_are_dropped(tmp_path):
    root = tmp_path / "twice"
    shutil.copytree(FIXTURES / "vqa_rad", root)
    rows = json.loads((root / "trainset.json").read_text())
    rows[3]["qid"] = rows[0]["qid"]
    (root / "trainset.json").write_text(json.dumps(rows))
    with pytest.raises(InputError, match="the id 'vqa_rad/train/1'; the second is in record '.*synpic2.*' of"):
        curate(tmp_path / "out", root=root)
    outcome = curate(tmp_path / "kept", root=root, operators=["drop_duplicate_id"])
    assert outcome.counts["drops"] == 1 and drops(tmp_path / "kept")[0]["matched_id"] == "vqa_rad/train/1"


def test_duplicate_samples_are_matched_across_splits(tmp_path):
    root = tmp_path / "twice"
    shutil.copytree(FIXTURES / "vqa_rad", root)
    rows = json.loads((root / "testset.json").read_text())
    rows[0] |= {"question": "is the heart  ENLARGED?", "answer": "yes"}
    (root / "testset.json").write_text(json.dumps(rows))
    curate(tmp_path / "out", root=root, operators=["drop_duplicate_sample"])
    row = drops(tmp_path / "out")[0]
    assert (row["id"], row["matched_id"], row["score"]) == ("vqa_rad/test/5", "vqa_rad/train/1", 1.0)


def test_a_full_disk_ends_cleanly_and_the_rerun_is_whole(tmp_path, monkeypatch):
    curate(tmp_path / "whole")
    real, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(DiskFullError, match="free some space and run the same command again"):
        curate(tmp_path / "cut")
    assert not list((tmp_path / "cut").rglob("*.part"))
    monkeypatch.undo()
    curate(tmp_path / "cut")
    assert tree(tmp_path / "cut") == tree(tmp_path / "whole")


def test_shuffled_records_follow_the_seed(tmp_path):
    def order(out, seed):
        curate(
            tmp_path / out, shuffle_records=True, seed=seed, shard_records=9, root=FIXTURES / "phantom", name="phantom"
        )
        return Store(tmp_path / out).table("train")["key"].to_pylist()

    orders = [order(f"s{seed}", seed) for seed in range(6)]
    assert order("again", 0) == orders[0] and len({tuple(o) for o in orders}) > 1
    assert all(sorted(o) == sorted(orders[0]) for o in orders)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datasets": [{"name": "vqa_radd", "root": "x", "splits": ["train"]}]}, "unknown dataset.*mean 'vqa_rad'"),
        ({"datasets": [{"name": "vqa_rad", "root": "x", "splits": ["tets"]}]}, "split 'tets' not in vqa_rad.*'test'"),
        ({"datasets": []}, "datasets"),
        ({"operators": ["drop_broken_imag"]}, "unknown operator.*mean 'drop_broken_image'"),
        ({"operators": [{"drop_empty_text": {"min_char": 1}}]}, "unknown key 'min_char'.*mean 'min_chars'"),
        ({"operators": {"a": 1}}, "operators must be a list"),
        ({"operators": [3]}, "cannot read operator 3"),
        ({"shard_record": 3}, "unknown key 'shard_record'.*mean 'shard_records'"),
        ({"shard_records": 0}, "shard_records"),
    ],
)
def test_a_wrong_recipe_is_refused_before_anything_is_read(change, message):
    with pytest.raises(InputError, match=message):
        parse({**recipe(), **change})


def test_the_resolved_recipe_is_a_recipe():
    config = parse(recipe(operators=["drop_empty_text"]))
    resolved = config.model_dump(mode="json")
    assert resolved["operators"] == [{"drop_empty_text": {"min_chars": 1}}]
    assert parse(resolved) == config


def test_inputs_are_the_files_with_the_rows(tmp_path):
    names = [path.name for path in inputs(parse(recipe()))]
    assert names == ["trainset.json", "testset.json"]
    with pytest.raises(InputError, match="no folder .*gone.*trainset.json, testset.json"):
        inputs(parse(recipe(tmp_path / "gone")))

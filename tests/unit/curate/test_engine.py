import json
import os
import shutil
from pathlib import Path

import pytest

from osler.core.errors import InputError
from osler.core.files import sha256_file
from osler.core.log import Log
from osler.curate import engine, plan
from osler.curate.engine import work_room
from osler.curate.run import parse, run
from osler.curate.shard_manifest import read_manifest

FIXTURES = Path(__file__).parents[2] / "fixtures" / "datasets"
QUIET = Log(quiet=True)


@pytest.fixture
def root(tmp_path) -> Path:
    return shutil.copytree(FIXTURES / "vqa_rad", tmp_path / "set")


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """The names of the shards that are written."""
    names: list[str] = []
    real = engine.write_shard

    def note(folder, split, number, **more):
        names.append(f"{split}-{number:05d}")
        return real(folder, split, number, **more)

    monkeypatch.setattr(engine, "write_shard", note)
    return names


def curate(root: Path, out: Path, **fields):
    operators = fields.pop("operators", ["drop_missing_image", "drop_broken_image", "drop_empty_text"])
    datasets = [{"name": "vqa_rad", "root": str(root), "splits": ["train", "test"]}]
    recipe = {"datasets": datasets, "shard_records": 1, "operators": operators, **fields}
    return run(parse(recipe), out, device="cpu", log=QUIET)


def manifests(out: Path) -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in sorted((out / "chunks").glob("*.json"))}


def test_a_shard_s_manifest_says_what_it_was_made_from(root, tmp_path):
    (root / "images" / "synpic2.jpg").write_bytes(b"<html>")
    out = tmp_path / "out"
    curate(root, out)
    first, second = manifests(out)["train-00000"], manifests(out)["train-00001"]
    assert (first["records_read"], first["records_kept"], first["samples_kept"], first["dropped"]) == (1, 1, 2, {})
    assert (second["samples_read"], second["samples_kept"]) == (2, 0)
    assert second["dropped"] == {"drop_broken_image: image broken": 2} and second["tar_sha256"] == ""
    assert first["tar_sha256"] == sha256_file(out / "shards" / "train-00000.tar")
    assert first["index_sha256"] == sha256_file(out / "index" / "train-00000.parquet")
    assert first["drops_sha256"] == sha256_file(out / "chunks" / "train-00000.parquet")
    assert first["operators"][2] == ["drop_empty_text", {"min_chars": 1}] and first["num_media"] == 1
    assert not (out / ".work").exists()


def test_what_changed_is_made_again_and_nothing_else(root, tmp_path, made):
    out = tmp_path / "out"
    curate(root, out)
    whole = list(made)
    made.clear()
    curate(root, out)
    assert made == []
    rows = json.loads((root / "trainset.json").read_text())
    rows[0]["answer"] = "No"
    (root / "trainset.json").write_text(json.dumps(rows))
    curate(root, out)
    assert made == ["train-00000"]
    made.clear()
    curate(root, out, operators=["drop_missing_image"])
    assert made == whole


def test_media_of_the_same_size_and_time_are_told_apart(root, tmp_path, made):
    out = tmp_path / "out"
    curate(root, out)
    made.clear()
    image = root / "images" / "synpic2.jpg"
    data, stat = image.read_bytes(), image.stat()
    changed = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]
    image.write_bytes(changed)
    os.utime(image, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    curate(root, out, executor={"recheck_media": False})
    assert made == []
    curate(root, out)
    assert made == ["train-00001"]
    assert changed in (out / "shards" / "train-00001.tar").read_bytes()


def test_media_of_a_dropped_sample_count_too(root, tmp_path, made):
    image = root / "images" / "synpic2.jpg"
    good = image.read_bytes()
    image.write_bytes(b"<html>")
    out = tmp_path / "out"
    assert curate(root, out).counts["drops"] == 2
    made.clear()
    image.write_bytes(good)
    assert curate(root, out).counts["drops"] == 0 and made == ["train-00001"]


@pytest.mark.parametrize("torn", ["{", "[]", "", '{"shard": "x"}'])
def test_a_manifest_that_is_none_is_no_manifest(root, tmp_path, made, torn):
    out = tmp_path / "out"
    curate(root, out)
    made.clear()
    (out / "chunks" / "train-00000.json").write_text(torn)
    assert read_manifest(out, "train-00000", "any") is None
    curate(root, out)
    assert made == ["train-00000"]


def test_shards_that_are_no_longer_asked_for_are_removed(root, tmp_path):
    out = tmp_path / "out"
    curate(root, out)
    (root / "images" / "synpic1.jpg").rename(root / "images" / "synpic9.jpg")
    curate(root, out, shard_records=2)
    assert sorted(path.name for path in (out / "shards").iterdir()) == ["test-00000.tar", "train-00000.tar"]
    curate(root, tmp_path / "anew", shard_records=2)
    assert {p.name for p in (out / "chunks").iterdir()} == {p.name for p in (tmp_path / "anew" / "chunks").iterdir()}


def test_ranks_share_the_work_and_the_last_writes_the_rest(root, tmp_path, made):
    curate(root, tmp_path / "whole")
    whole = list(made)
    made.clear()
    out = tmp_path / "out"
    first = curate(root, out, executor={"kind": "rank", "rank": 1, "world": 2})
    assert not first.is_finished and made == whole[1::2] and not (out / "card.md").exists()
    assert "rank 1 of 2: its 2 shards are finished, 2 of other ranks are not (train-00000, test-00000)" in first.message
    last = curate(root, out, executor={"kind": "rank", "rank": 0, "world": 2})
    assert last.is_finished and sorted(made) == sorted(whole)
    files = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert files == {
        p.relative_to(tmp_path / "whole"): p.read_bytes() for p in (tmp_path / "whole").rglob("*") if p.is_file()
    }
    assert curate(root, out, executor={"kind": "rank", "rank": 1, "world": 2}).is_finished


def test_a_room_is_closed_to_what_a_killed_run_left_at_work(tmp_path):
    with work_room(tmp_path, 3) as before:
        (before / "half").write_text("half")
        with work_room(tmp_path, 3) as room:
            assert room.is_dir() and not before.exists()
            with pytest.raises(FileNotFoundError):
                (before / "half").replace(tmp_path / "half")
        with work_room(tmp_path, 4) as other:
            assert other.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_rows_that_change_while_they_are_read_end_the_run(root, tmp_path, monkeypatch):
    real, count = plan.read_drafts, iter(range(10))

    def grows(*args, **options):
        drafts = list(real(*args, **options))
        return iter(drafts if next(count) else drafts[:-1])

    monkeypatch.setattr(plan, "read_drafts", grows)
    with pytest.raises(InputError, match="rows changed while they were read"):
        curate(root, tmp_path / "out", operators=["drop_duplicate_id"])

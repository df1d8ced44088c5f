import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from osler.core.errors import DiskFullError
from osler.core.log import Log
from osler.store.reader import Store
from osler.synth.phantom import world as phantom_world
from osler.synth.phantom.world import PhantomConfig, draw_world

RECIPE = {
    "seed": 3,
    "num_patients": 14,
    "image_px": 48,
    "splits": {"train": 0.6, "validation": 0.0, "test": 0.4},
    "shard_records": 6,
    "num_workers": 0,
}


def draw(out, **changes):
    return draw_world(PhantomConfig.parse({**RECIPE, **changes}), out, Log(quiet=True))


def files(out):
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    out = tmp_path_factory.mktemp("world")
    return out, draw(out)


def test_a_world_is_a_store_with_truth_ceilings_and_cards(drawn):
    out, outcome = drawn
    store = Store(out)
    assert store.splits() == ["test", "train"] or store.splits() == ["train", "test"]
    assert outcome.counts["samples"] == sum(store.table(split).num_rows for split in store.splits())
    assert outcome.counts["patients"] == 14 and outcome.seeds == {"seed": 3}
    assert {"card.md", "croissant.json", "quality.json", "truth.parquet"} <= {p.name for p in out.iterdir()}
    assert not (out / ".parts").exists()


def test_patients_are_not_cut_by_the_split(drawn):
    store = Store(drawn[0])
    groups = {split: set(store.table(split)["group"].to_pylist()) for split in store.splits()}
    assert not groups["train"] & groups["test"]


def test_the_truth_tells_every_study(drawn):
    out, outcome = drawn
    rows = pq.read_table(out / "truth.parquet").to_pylist()
    assert len(rows) == outcome.counts["studies"]
    store = Store(out)
    keys = {row["study_id"] for row in rows}
    singles = {key for split in store.splits() for key in store.table(split)["key"].to_pylist() if key.count("-") == 1}
    assert keys == singles
    for row in rows:
        kinds = [finding["kind"] for finding in row["findings"]]
        assert row["num_nodules"] == kinds.count("nodule")
        assert set(row["present"]) == set(kinds)
        assert all(len(finding["box"]) == 4 for finding in row["findings"])
        assert (row["ctr"] > 0.5) == ("cardiomegaly" in kinds)


def test_the_ceilings_name_every_short_task(drawn):
    quality = json.loads((drawn[0] / "quality.json").read_text())
    assert {"phantom_closed", "phantom_side", "phantom_choice"} <= set(quality)
    assert all(set(row) == {"n", "majority", "question_prior"} for row in quality.values())


@pytest.mark.parametrize("num_workers", [1, 2])
def test_the_bytes_do_not_depend_on_the_workers(drawn, tmp_path, num_workers):
    draw(tmp_path, num_workers=num_workers)
    assert files(tmp_path) == files(drawn[0])


class Killed(Exception):
    """Stands in for a kill."""


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_cut_run_goes_on_and_draws_no_shard_twice(drawn, tmp_path, monkeypatch, after):
    write, written = phantom_world.write_shard, []

    def cut(*arguments, **named):
        if len(written) == after:
            raise Killed
        written.append(arguments[1:3])
        return write(*arguments, **named)

    monkeypatch.setattr(phantom_world, "write_shard", cut)
    with pytest.raises(Killed):
        draw(tmp_path)
    first, written = list(written), []
    after = 10**9
    draw(tmp_path)
    assert not set(first) & set(written)
    assert files(tmp_path) == files(drawn[0])


def test_a_kill_between_shard_and_part_draws_that_shard_again(drawn, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(phantom_world, "write_part", lambda *a, **k: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            draw(tmp_path)
    assert list((tmp_path / "shards").iterdir())
    draw(tmp_path)
    assert files(tmp_path) == files(drawn[0])


def test_a_finished_world_is_not_drawn_again(drawn, tmp_path, monkeypatch):
    draw(tmp_path)
    monkeypatch.setattr(phantom_world, "patient_films", lambda *a, **k: pytest.fail("drawn again"))
    draw(tmp_path)


def test_a_torn_shard_is_drawn_again(drawn, tmp_path):
    draw(tmp_path)
    tar = next((tmp_path / "shards").glob("test-*.tar"))
    tar.write_bytes(tar.read_bytes()[:1000])
    draw(tmp_path)
    assert files(tmp_path) == files(drawn[0])


def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*arguments, **named):
        raise DiskFullError("no space left")

    monkeypatch.setattr(phantom_world, "write_part", full)
    with pytest.raises(DiskFullError, match="no space left"):
        draw(tmp_path)
    assert not list(tmp_path.rglob("*.part"))


def test_dicom_files_are_written_one_a_study(tmp_path):
    pytest.importorskip("pydicom")
    outcome = draw(tmp_path, num_patients=5, write=["shards", "dicom"])
    paths = sorted(Path(tmp_path / "dicom").rglob("*.dcm"))
    assert len(paths) == outcome.counts["studies"]
    assert all(path.parent.name == path.name[:7] for path in paths)

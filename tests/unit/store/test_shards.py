import errno
import json
import os
import tarfile
from dataclasses import replace

import pytest
from store_world import record, write

from osler.core import files
from osler.core.errors import DiskFullError, InputError
from osler.store.index import index_path, read_index, tar_path
from osler.store.record import stored_record
from osler.store.shards import Store


def test_a_shard_is_the_same_bytes_every_time(tmp_path):
    records = [record(n) for n in range(3)]
    first, second = write(tmp_path / "a", records), write(tmp_path / "b", records)
    assert first == second and (first.num_records, first.num_samples) == (3, 6)
    for path in (tar_path, index_path):
        assert path(tmp_path / "a", first.name).read_bytes() == path(tmp_path / "b", first.name).read_bytes()
    assert first.sha256 == files.sha256_file(tar_path(tmp_path / "a", first.name))
    assert first.num_bytes == tar_path(tmp_path / "a", first.name).stat().st_size


def test_the_tar_is_plain(tmp_path):
    write(tmp_path, [record(0)])
    with tarfile.open(tar_path(tmp_path, "train-00000")) as tar:
        members = tar.getmembers()
        assert [m.name for m in members] == ["r0000.0.png", "r0000.0.mask.png", "r0000.1.png", "r0000.json"]
        assert all((m.mtime, m.uid, m.gid, m.mode) == (0, 0, 0, 0o644) and m.isfile() for m in members)
        value = json.load(tar.extractfile("r0000.json"))
    assert value["schema_version"] == 1 and len(value["samples"]) == 2
    assert "reasoning" not in value["samples"][0], "default values are left out"


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::ResourceWarning")
def test_webdataset_reads_the_tar(tmp_path):
    webdataset = pytest.importorskip("webdataset", reason="the peer's reader is not installed")
    records = [record(n) for n in range(3)]
    write(tmp_path, records)
    read = list(webdataset.WebDataset(str(tar_path(tmp_path, "train-00000")), shardshuffle=False))
    assert [item["__key__"] for item in read] == ["r0000", "r0001", "r0002"]
    assert all(item["0.png"] == r.files[f"{r.key}.0.png"] for item, r in zip(read, records, strict=True))
    assert json.loads(read[2]["json"])["samples"][0]["id"] == "toy/train/2-0"


def test_index_rows_say_where_everything_lies(tmp_path):
    records = [record(n) for n in range(2)]
    write(tmp_path, records)
    row = read_index(index_path(tmp_path, "train-00000")).to_pylist()[3]
    assert (row["sample_id"], row["key"], row["position"], row["shard"]) == ("toy/train/1-1", "r0001", 1, "train-00000")
    assert (row["widths"], row["heights"], row["bits"]) == ([8, 8], [6, 6], [16, 16])
    assert (row["text_tokens"], row["tiles"], row["licence"], row["group"]) == (16, 2, "CC0-1.0", "g1")
    data = tar_path(tmp_path, "train-00000").read_bytes()
    places = zip(row["media_names"], row["media_offsets"], row["media_sizes"], strict=True)
    assert all(data[offset : offset + size] == records[1].files[name] for name, offset, size in places)
    assert row["media_sha256"][0] == files.sha256_bytes(records[1].files["r0001.0.png"])


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (lambda: [record(0), record(0)], "two records .* key 'r0000'"),
        (lambda: [record(0), replace(record(1), samples=record(0).samples)], "two samples .*r0000.*r0001"),
        (lambda: [replace(record(0), key="a.b")], "key 'a.b'"),
        (lambda: [replace(record(0), samples=())], "no sample"),
        (lambda: [replace(record(0), files={})], "not those its samples show"),
        (lambda: [record(0, split="test")], "split 'test'.*expected split 'train'"),
    ],
)
def test_records_that_do_not_fit_are_refused_and_nothing_is_left(tmp_path, records, message):
    with pytest.raises(InputError, match=message):
        write(tmp_path, records())
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_samples_of_a_record_show_the_same_images(tmp_path):
    one, other = record(0), record(1)
    mixed = replace(one, samples=(one.samples[0], other.samples[0]), files=one.files | other.files)
    with pytest.raises(InputError, match="'toy/train/0-0' and 'toy/train/1-0'"):
        write(tmp_path, [mixed])


def test_an_image_without_facts_is_refused(tmp_path):
    good = record(0)
    ref = good.samples[0].media[0]
    bare = [s.model_copy(update={"turns": s.turns}) for s in good.samples]
    from osler.store.record import replace_media

    new = {r: r.model_copy(update={"sha256": ""}) if r == ref else r for s in bare for r in s.media}
    with pytest.raises(InputError, match="lacks width, height or sha256"):
        write(tmp_path, [replace(good, samples=tuple(replace_media(s, new) for s in bare))])


def test_bytes_that_were_not_given_are_named():
    with pytest.raises(InputError, match="record 'k' shows 'r0000.0.png'"):
        stored_record("k", record(0).samples, {})


def test_a_full_disk_leaves_nothing_and_a_second_run_is_whole(tmp_path, monkeypatch):
    records = [record(n) for n in range(3)]
    whole = write(tmp_path / "whole", records)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(DiskFullError, match="no space left while writing .*train-00000.tar"):
        write(tmp_path / "cut", records)
    assert [p for p in (tmp_path / "cut").rglob("*") if p.is_file()] == []
    monkeypatch.undo()
    assert write(tmp_path / "cut", records) == whole


def test_a_full_disk_at_the_index_leaves_the_shard_unfinished(tmp_path, monkeypatch):
    real, calls = os.fsync, []

    def full_at_second(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        real(descriptor)

    monkeypatch.setattr(files.os, "fsync", full_at_second)
    with pytest.raises(DiskFullError):
        write(tmp_path, [record(0)])
    with pytest.raises(InputError, match="train-00000.tar has no index"):
        Store(tmp_path).splits()

import os
import pickle

import pytest
from store_world import record, write

from osler.core.errors import InputError
from osler.store.index import index_path, tar_path
from osler.store.reader import Store, record_starts


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, [record(n) for n in range(3)], number=0)
    write(tmp_path, [record(n, licence="CC-BY-4.0") for n in range(3, 5)], number=1)
    write(tmp_path, [record(9, split="test", num_samples=1)], split="test")
    return tmp_path


def test_what_was_written_is_read(folder):
    store = Store(folder)
    assert store.splits() == ["train", "test"]
    assert list(store.records("train")) == [record(n, licence="CC-BY-4.0" if n > 2 else "CC0-1.0") for n in range(5)]
    assert [info.num_records for info in store.shards("train")] == [3, 2]


def test_any_row_is_read_alone(folder):
    store = Store(folder)
    table = store.table("train")
    row = store.rows(table, [7])[0]
    wanted = record(3, licence="CC-BY-4.0")
    assert store.sample(row) == wanted.samples[1]
    assert store.media(row) == (wanted.files["r0003.0.png"], wanted.files["r0003.1.png"])
    assert store.masks(row) == (wanted.files["r0003.0.mask.png"], None)
    assert [s.id for s in store.samples(store.rows(table, [9, 0, 1]))] == [
        "toy/train/4-1",
        "toy/train/0-0",
        "toy/train/0-1",
    ]
    assert record_starts(table).tolist() == [0, 2, 4, 6, 8]


def test_selection_needs_no_rewriting(folder):
    store = Store(folder)
    assert store.table("train", licences=["CC-BY-4.0"])["key"].to_pylist() == ["r0003", "r0003", "r0004", "r0004"]
    assert store.table("train", tasks=["task1"], datasets=["toy"]).num_rows == 5
    assert store.table("train", tasks=[]).num_rows == 0
    with pytest.raises(InputError, match="no sample of split 'train' has licence 'CC-BY'.*Did you mean 'CC-BY-4.0'"):
        store.table("train", licences=["CC-BY"])


def test_an_unknown_split_names_the_nearest(folder):
    with pytest.raises(InputError, match="no split 'tests'.*train, test.*Did you mean 'test'"):
        Store(folder).table("tests")


def test_a_store_survives_a_fork_and_a_pickle(folder):
    store = Store(folder)
    row = store.rows(store.table("train"), [0])[0]
    wanted = store.media(row)
    copy = pickle.loads(pickle.dumps(store))  # noqa: S301 - made here
    assert copy.media(row) == wanted
    child = os.fork()
    if child == 0:
        os._exit(0 if store.media(row) == wanted else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.media(row) == wanted


def test_more_shards_than_open_files_are_read(folder, monkeypatch):
    monkeypatch.setattr("osler.store.reader._MAX_OPEN", 1)
    store = Store(folder)
    rows = store.rows(store.table("train"), [0, 8, 1, 9])
    assert [len(store.media(row)[0]) for row in rows] == [700, 704, 700, 704]


def test_a_torn_tar_is_refused(folder):
    path = tar_path(folder, "train-00001")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="train-00001.tar is torn; expected 20480 bytes; got 20380"):
        Store(folder)


def test_a_tar_cut_while_open_is_refused(folder):
    store = Store(folder)
    row = store.rows(store.table("train"), [9])[0]
    path = tar_path(folder, "train-00001")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match="ends before byte"):
        store.media(row)


def test_a_torn_index_is_refused(folder):
    path = index_path(folder, "train-00001")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="index .*train-00001.parquet cannot be read"):
        Store(folder)


def test_a_missing_index_or_tar_is_named(folder):
    index_path(folder, "test-00000").rename(folder / "kept")
    with pytest.raises(InputError, match="test-00000.tar has no index"):
        Store(folder)
    (folder / "kept").rename(index_path(folder, "test-00000"))
    tar_path(folder, "test-00000").unlink()
    with pytest.raises(InputError, match="test-00000.parquet has no shard"):
        Store(folder)


def test_a_strange_parquet_is_no_index(folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), index_path(folder, "train-00001"))
    with pytest.raises(InputError, match="is no index of a shard"):
        Store(folder)


def test_an_empty_or_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="no shards in"):
        Store(tmp_path)
    with pytest.raises(InputError, match="expected a folder; got nothing"):
        Store(tmp_path / "none")


def test_one_id_in_two_shards_is_refused_with_both_places(folder):
    write(folder, [record(1)], number=2)
    with pytest.raises(InputError, match="'toy/train/1-0': record 'r0001' of shard train-00000 and .* train-00002"):
        Store(folder).table("train")

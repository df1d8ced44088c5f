import pyarrow.parquet as pq
import pytest

from osler.curate import drops as drops_file
from osler.curate.drops import DROPS, DropsWriter, drop, drops_table, merge_drops, write_drops

ROWS = [drop(f"toy/train/{n}", "cap", f"beyond the cap: {n % 3}", score=n / 7) for n in range(1000)]


def test_the_bytes_do_not_depend_on_the_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(drops_file, "_GROUP_ROWS", 64)
    monkeypatch.setattr(drops_file, "_HELD_ROWS", 10)
    with DropsWriter(tmp_path / "rows.parquet") as written:
        for row in ROWS:
            written.add(row)
    with DropsWriter(tmp_path / "tables.parquet") as again:
        again.add_table(drops_table(ROWS[:3]))
        again.add(ROWS[3])
        again.add_table(drops_table(ROWS[4:900]))
        for row in ROWS[900:]:
            again.add(row)
    assert (tmp_path / "rows.parquet").read_bytes() == (tmp_path / "tables.parquet").read_bytes()
    file = pq.ParquetFile(tmp_path / "rows.parquet")
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [64] * 15 + [40]
    assert file.read().to_pylist() == ROWS
    assert written.tally == again.tally == {("toy", "train", "cap", "beyond the cap"): 1000}


def test_little_is_held(tmp_path):
    with DropsWriter(tmp_path / "many.parquet") as written:
        table = drops_table(ROWS)
        for _ in range(200):
            written.add_table(table)
            assert sum(held.num_rows for held in written._tables) < 2 * drops_file._GROUP_ROWS
    assert pq.ParquetFile(tmp_path / "many.parquet").metadata.num_rows == 200_000


def test_files_are_merged_in_their_order(tmp_path):
    write_drops(tmp_path / "a.parquet", drops_table(ROWS[5:7]), metadata={"any": "thing"})
    write_drops(tmp_path / "b.parquet", drops_table())
    write_drops(tmp_path / "c.parquet", drops_table([drop("odd", "r", "why")]))
    tally = merge_drops(tmp_path / "all.parquet", [tmp_path / f"{name}.parquet" for name in "cba"])
    merged = pq.read_table(tmp_path / "all.parquet")
    assert merged["id"].to_pylist() == ["odd", "toy/train/5", "toy/train/6"] and merged.schema.equals(DROPS)
    assert tally == {("", "", "r", "why"): 1, ("toy", "train", "cap", "beyond the cap"): 2}


def test_nothing_dropped_is_a_file_too(tmp_path):
    assert merge_drops(tmp_path / "none.parquet", []).total() == 0
    assert pq.read_table(tmp_path / "none.parquet").equals(drops_table())


def test_an_error_is_not_hidden(tmp_path):
    with pytest.raises(KeyError), DropsWriter(tmp_path / "cut.parquet") as written:
        written.add(ROWS[0])
        raise KeyError

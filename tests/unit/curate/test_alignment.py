import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from osler.core.errors import InputError
from osler.curate.alignment import check_scores, read_scores


def test_only_the_scores_asked_for_are_read(tmp_path):
    path = str(tmp_path / "s.parquet")
    pq.write_table(
        pa.table({"id": ["a", "b", "c", "d"], "score": [0.1, None, float("nan"), 0.4], "more": [1, 2, 3, 4]}), path
    )
    assert check_scores(path) == "" and read_scores(path, ["a", "b", "c", "x"]) == {"a": 0.1}
    assert read_scores(path, []) == {}


def test_what_is_no_file_of_scores_is_refused(tmp_path):
    path = tmp_path / "s.parquet"
    assert "set `scores`" in check_scores("") and "no file" in check_scores(str(path))
    path.write_bytes(b"text")
    assert "no Parquet file" in check_scores(str(path))
    pq.write_table(pa.table({"id": ["a"]}), path)
    assert "no column 'score'" in check_scores(str(path))
    pq.write_table(pa.table({"id": ["a"], "score": ["high"]}), path)
    assert "not a number" in check_scores(str(path))
    with pytest.raises(InputError, match="not a number"):
        read_scores(str(path), ["a"])


def test_two_scores_of_one_sample_are_refused(tmp_path):
    path = str(tmp_path / "s.parquet")
    pq.write_table(pa.table({"id": ["a", "a"], "score": [0.1, 0.2]}), path)
    with pytest.raises(InputError, match="'a' two scores"):
        read_scores(path, ["a"])

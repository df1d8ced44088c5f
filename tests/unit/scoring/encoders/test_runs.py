import numpy as np
import pytest

from osler.core.errors import InputError
from osler.scoring.encoders.runs import FOLDER, read_run, read_runs, write_run
from transfer_world import answered, made_up_runs


def test_a_run_is_read_as_it_was_written(tmp_path):
    run = made_up_runs({"good": 0.9}, sets=("alpha",))[0]
    write_run(tmp_path / FOLDER, run)
    again = read_runs(tmp_path)[0]
    assert (again.encoder, again.set_name, again.seed, again.classes, again.facts) == (
        "good", "alpha", 0, ("a", "b", "c"), {"": {"l2": 1.0}},
    )  # fmt: skip
    assert again.answers[""].gold.tolist() == run.answers[""].gold.tolist()
    assert (again.answers[""].probabilities == run.answers[""].probabilities).all()


def test_several_labels_and_variants_are_kept_and_bytes_repeat(tmp_path):
    run = made_up_runs({"good": 0.9}, sets=("alpha",))[0]
    gold = np.asarray([[True, False, True], [False, False, False]])
    several = answered(gold, np.full((2, 3), 0.5), flags=["same_file: x", ""])
    run = type(run)(**{**vars(run), "is_multi_label": True, "answers": {"1": several, "2": several}})
    write_run(tmp_path / "one", run)
    write_run(tmp_path / "two", run)
    assert (tmp_path / "one" / run.name).read_bytes() == (tmp_path / "two" / run.name).read_bytes()
    again = read_run(tmp_path / "one" / run.name)
    assert list(again.answers) == ["1", "2"] and again.answers["2"].gold.tolist() == gold.tolist()
    assert again.answers["1"].flags == ("same_file: x", "")
    assert again.answers["1"].unflagged().items == ("i1",)


def test_another_file_is_refused(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"no table")
    with pytest.raises(InputError, match="holds no predictions"):
        read_run(tmp_path / "x.parquet")

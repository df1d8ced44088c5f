"""Predictions survive a kill at any byte."""

import pytest

from osler.core.errors import InputError
from osler.evaluation.journal import Journal, read_predictions
from osler.schema.prediction import Prediction
from osler.schema.sample import closed


def said(item: str, raw: str = "yes") -> Prediction:
    return Prediction(
        item_id=item, task="t", cluster="c", prompt_sha256="p", raw=raw, final=raw, status="ok", parsed=raw,
        gold=closed("yes"),
    )  # fmt: skip


def test_a_torn_tail_is_cut_at_every_byte(tmp_path):
    path = tmp_path / "predictions.jsonl"
    Journal(path).append([said("1"), said("2")])
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for size in range(first, len(whole), 17):
        path.write_bytes(whole[:size])
        journal = Journal(path)
        assert journal.get(("image", "t", "1")) == said("1")
        assert journal.get(("image", "t", "2")) is None
        assert path.read_bytes() == whole[:first]
        journal.append([said("2")])
        assert path.read_bytes() == whole


def test_damage_in_the_middle_is_refused(tmp_path):
    path = tmp_path / "predictions.jsonl"
    Journal(path).append([said("1"), said("2")])
    path.write_bytes(b"{" + path.read_bytes())
    with pytest.raises(InputError, match="line 1 is no prediction"):
        Journal(path)


def test_later_lines_replace_earlier_ones_and_settling_orders_them(tmp_path):
    path = tmp_path / "predictions.jsonl"
    journal = Journal(path)
    journal.append([said("2"), said("1", "no")])
    journal.append([said("1")])
    order = [("image", "t", "1"), ("image", "t", "2")]
    assert journal.settle(order) == [said("1"), said("2")]
    assert read_predictions(path) == [said("1"), said("2")]
    before = path.stat().st_mtime_ns
    Journal(path).settle(order)
    assert path.stat().st_mtime_ns == before


def test_an_unfinished_file_is_not_scored(tmp_path):
    path = tmp_path / "predictions.jsonl"
    Journal(path).append([said("1"), said("2")])
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match="middle of a line"):
        read_predictions(path)
    with pytest.raises(InputError, match="nothing at that path"):
        read_predictions(tmp_path / "absent.jsonl")

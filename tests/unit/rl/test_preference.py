"""Pairs: written whole, read back, and refused where they say nothing or their question is missing."""

import pytest

from osler.core.errors import InputError
from osler.rl.preference import Pair, places_of, read_pairs, write_pairs


def test_pairs_come_back(tmp_path, selection):
    ids = selection.table["sample_id"].to_pylist()
    pairs = [Pair(sample_id=ids[n], chosen="yes", rejected="no", chosen_reward=1.0) for n in (4, 2)]
    assert write_pairs(tmp_path / "pairs.jsonl", pairs) == 2
    assert read_pairs([tmp_path / "pairs.jsonl"]) == pairs
    assert places_of(pairs, [selection]) == [(0, 4), (0, 2)]


def test_what_teaches_nothing_is_refused(tmp_path, selection):
    same = [Pair(sample_id="a", chosen="yes", rejected="yes")]
    write_pairs(tmp_path / "same.jsonl", same)
    write_pairs(tmp_path / "none.jsonl", [])
    with pytest.raises(InputError, match="two equal replies"):
        read_pairs([tmp_path / "same.jsonl"])
    with pytest.raises(InputError, match="holds no pair"):
        read_pairs([tmp_path / "none.jsonl"])
    with pytest.raises(InputError, match="1 of 1 pairs are about samples"):
        places_of(same, [selection])

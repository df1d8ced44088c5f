import numpy as np
import pytest

from osler.core.errors import InputError
from osler.store.order import epoch_order, windowed_order


def test_an_epoch_is_a_permutation_and_a_pure_function():
    order = epoch_order(100, seed=1, epoch=2)
    assert sorted(order) == list(range(100))
    assert np.array_equal(order, epoch_order(100, seed=1, epoch=2))
    assert not np.array_equal(order, epoch_order(100, seed=1, epoch=3))
    assert not np.array_equal(order, epoch_order(100, seed=2, epoch=2))
    assert epoch_order(0, seed=0, epoch=0).size == 0


def test_a_window_reads_few_shards_at_a_time():
    shards = np.repeat(["a", "b", "c", "d", "e"], [4, 4, 4, 4, 2])
    order = windowed_order(shards, seed=0, epoch=0, window_shards=2)
    assert sorted(order) == list(range(18))
    bounds, seen = [], []
    for row in order:
        if shards[row] not in seen:
            seen.append(shards[row])
        bounds.append(len(seen))
    sizes = {name: int((shards == name).sum()) for name in seen}
    first = sizes[seen[0]] + sizes[seen[1]]
    assert {shards[row] for row in order[:first]} == set(seen[:2]), "a window is read to its end before the next"
    assert not np.array_equal(order, windowed_order(shards, seed=0, epoch=1, window_shards=2))


def test_rows_of_a_window_are_mixed():
    order = windowed_order(np.repeat([0, 1], 50), seed=0, epoch=0, window_shards=2)
    changes = np.count_nonzero(np.diff(order // 50))
    assert changes > 20


def test_one_window_over_all_shards_mixes_all():
    order = windowed_order(np.zeros(30, dtype=int), seed=0, epoch=0, window_shards=1)
    assert sorted(order) == list(range(30)) and not np.array_equal(order, np.arange(30))


def test_a_window_needs_a_shard():
    with pytest.raises(InputError, match="window_shards must be at least 1; got 0"):
        windowed_order(np.zeros(3), seed=0, epoch=0, window_shards=0)

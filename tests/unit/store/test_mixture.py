import math
from collections import Counter

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.store.mixture import Mixture, Source, size_weights


def mixture(seed=0):
    return Mixture({"a": Source(5, 1), "b": Source(30, 2.5), "c": Source(7, 0.1), "d": Source(3, 4)}, seed=seed)


def test_weights_hold_over_any_window():
    mix = mixture()
    names = [draw.source for draw in mix.draws(0, 2000)]
    total = sum(source.weight for source in mix.sources.values())
    depth = math.ceil(math.log2(len(mix.sources)))
    for start, stop in [(0, 1), (0, 17), (0, 2000), (3, 40), (777, 1500), (1990, 2000)]:
        counts = Counter(names[start:stop])
        bound = depth if start == 0 else 2 * depth
        for name, source in mix.sources.items():
            assert abs(counts[name] - (stop - start) * source.weight / total) < bound


def test_a_draw_depends_on_its_position_only():
    ahead = mixture().draws(0, 300)
    again = mixture()
    assert [again.draw(p) for p in reversed(range(300))] == ahead[::-1]
    assert mixture(seed=1).draws(0, 300) != ahead


def test_each_source_walks_its_own_epochs():
    rows = {name: [] for name in "abcd"}
    for draw in mixture().draws(0, 1000):
        rows[draw.source].append((draw.epoch, draw.row))
    for name, source in mixture().sources.items():
        epochs = [epoch for epoch, _ in rows[name]]
        assert epochs == sorted(epochs)
        for epoch in range(len(rows[name]) // source.num_rows):
            assert sorted(row for e, row in rows[name] if e == epoch) == list(range(source.num_rows))
    assert [r for e, r in rows["d"] if e == 0] != [r for e, r in rows["d"] if e == 1] or len(rows["d"]) < 6


def test_weights_equal_to_sizes_draw_every_row_once():
    sizes = {"a": 13, "b": 4, "c": 29}
    mix = Mixture({name: Source(size, size) for name, size in sizes.items()}, seed=3)
    drawn = {(draw.source, draw.row) for draw in mix.draws(0, 46)}
    assert len(drawn) == 46 and mix.epochs(46) == {"a": 1.0, "b": 1.0, "c": 1.0}


def test_epochs_count_what_was_drawn():
    mix = mixture()
    counts = Counter(draw.source for draw in mix.draws(0, 123))
    assert mix.epochs(123) == {name: counts[name] / source.num_rows for name, source in mix.sources.items()}


def test_a_source_may_be_windowed():
    mix = Mixture({"a": Source(40, 1, shard_of_row=np.repeat(range(10), 4), window_shards=1)}, seed=0)
    rows = [draw.row for draw in mix.draws(0, 40)]
    assert sorted(rows) == list(range(40))
    assert all(len({row // 4 for row in rows[n : n + 4]}) == 1 for n in range(0, 40, 4))


def test_a_far_position_is_found_at_once():
    assert mixture().draw(10**12).source in "abcd"


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({}, "at least one source"),
        ({"a": Source(0, 1)}, "source 'a' of the mixture has no rows"),
        ({"a": Source(3, 0)}, "weight of source 'a' must be above 0; got 0"),
        ({"a": Source(3, float("nan"))}, "must be above 0; got nan"),
    ],
)
def test_what_cannot_be_mixed_is_refused(sources, message):
    with pytest.raises(InputError, match=message):
        Mixture(sources, seed=0)


def test_size_weights():
    assert size_weights({"a": 100, "b": 300}, exponent=1) == {"a": 0.25, "b": 0.75}
    assert size_weights({"a": 100, "b": 300}, exponent=0) == {"a": 0.5, "b": 0.5}

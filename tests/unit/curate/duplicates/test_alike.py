import numpy as np
import pytest

from osler.core.rng import generator
from osler.curate.duplicates.alike import HIGHEST, LOWEST, doubtful_likeness, needed_likeness


def test_sets_without_look_alikes_need_the_least():
    assert needed_likeness([]) == needed_likeness([0.9] * 4) == LOWEST
    assert needed_likeness(generator(0, "far").normal(0.1, 0.1, 200).tolist()) == LOWEST


def test_sets_of_look_alikes_need_more_and_never_all():
    near = np.tanh(generator(0, "near").normal(0.45, 0.25, 300))
    assert LOWEST < needed_likeness(near.tolist()) < HIGHEST
    assert needed_likeness(np.tanh(generator(0, "nearer").normal(0.9, 0.4, 300)).tolist()) == HIGHEST
    assert needed_likeness([1.0] * 100) == HIGHEST


def test_a_few_copies_among_them_change_little():
    near = np.tanh(generator(0, "near").normal(0.45, 0.2, 300)).tolist()
    assert needed_likeness([*near, *[1.0] * 15]) == pytest.approx(needed_likeness(near), abs=0.04)


def test_doubt_begins_below():
    for needed in (LOWEST, 0.9, HIGHEST):
        assert 0.5 < doubtful_likeness(needed) < needed

import tracemalloc

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.transfer.ranks import chance_median, chance_recall, ranks_both_ways


def unit(rows):
    table = np.asarray(rows, dtype=np.float32)
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def test_ranks_by_hand():
    """Scores: image 0 with texts 0, 1, 2: .9 .5 .1; image 1: .8 .6 .7. Right: 0-0, 0-2, 1-1."""
    scores = np.array([[0.9, 0.5, 0.1], [0.8, 0.6, 0.7]], dtype=np.float32)
    found = ranks_both_ways(np.eye(2, dtype=np.float32), scores.T.copy(), np.array([[0, 0], [0, 2], [1, 1]]))
    assert found.images.tolist() == [1, 3]  # image 1: texts 0 and 2 stand before its only right one
    assert found.texts.tolist() == [1, 1, 2]  # text 2: image 1 (.7) stands before image 0 (.1)


def test_another_right_candidate_does_not_stand_in_the_way():
    """Image 0 has two right texts, and text 0 two right images: the worse of them are no errors."""
    scores = np.array([[0.9, 0.8, 0.7], [0.95, 0.1, 0.2]], dtype=np.float32)
    found = ranks_both_ways(np.eye(2, dtype=np.float32), scores.T.copy(), np.array([[0, 0], [0, 1], [1, 0], [1, 2]]))
    assert found.images.tolist() == [1, 1]
    assert found.texts.tolist() == [1, 1, 2]


def test_a_tie_counts_against_the_query():
    same = unit(np.ones((4, 3)))
    found = ranks_both_ways(same, same, np.stack([np.arange(4)] * 2, axis=1))
    assert found.images.tolist() == found.texts.tolist() == [4, 4, 4, 4]


def test_pieces_of_any_size_and_repeated_pairs_give_the_same_ranks():
    random = np.random.default_rng(0)
    images, texts = unit(random.standard_normal((37, 8))), unit(random.standard_normal((23, 8)))
    pairs = np.stack([np.arange(37), np.arange(37) % 23], axis=1)
    whole = ranks_both_ways(images, texts, pairs)
    pieces = ranks_both_ways(images, texts, np.concatenate([pairs[::-1], pairs[:5]]), piece_bytes=1)
    scores = images @ texts.T
    right = np.zeros_like(scores, dtype=bool)
    right[pairs[:, 0], pairs[:, 1]] = True
    by_hand = [1 + int((scores[n][~right[n]] >= scores[n][right[n]].max()).sum()) for n in range(37)]
    assert whole.images.tolist() == pieces.images.tolist() == by_hand
    assert whole.texts.tolist() == pieces.texts.tolist()


def test_memory_stays_that_of_a_piece():
    random = np.random.default_rng(0)
    features = unit(random.standard_normal((4000, 4)))
    pairs = np.stack([np.arange(4000)] * 2, axis=1)
    tracemalloc.start()
    found = ranks_both_ways(features, features, pairs, piece_bytes=2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.images == 1).all()
    assert peak < 4 * 2**20 < 4000 * 4000


def test_chance_by_hand():
    assert chance_recall(np.array([1, 2, 4]), 4, 1) == pytest.approx([0.25, 0.5, 1])
    assert chance_recall(np.array([1, 2]), 4, 2) == pytest.approx([0.5, 1 - 2 / 4 * 1 / 3])
    assert chance_recall(np.array([1]), 3, 10) == pytest.approx([1])


def test_the_median_rank_of_a_random_order():
    assert chance_median(np.array([1, 1, 1]), 10) == 5
    assert chance_median(np.array([1, 1, 1]), 9) == 5
    # two right of four: first at 1 with 1/2
    assert chance_median(np.array([2, 2]), 4) == 1
    draws = np.random.default_rng(0).permuted(np.tile(np.arange(20), (4000, 1)), axis=1)
    assert chance_median(np.array([3]), 20) == np.median((draws < 3).argmax(axis=1) + 1)


def test_features_that_do_not_fit_are_refused():
    two, pairs = unit(np.eye(2)), np.array([[0, 0], [1, 1]])
    with pytest.raises(InputError, match="not in one space"):
        ranks_both_ways(two, unit(np.eye(3)), pairs)
    with pytest.raises(InputError, match="text 1 is in no pair"):
        ranks_both_ways(two, two, np.array([[0, 0], [1, 0]]))
    with pytest.raises(InputError, match="the features of image 1 are not finite"):
        ranks_both_ways(np.array([[1, 0], [np.nan, 1]], dtype=np.float32), two, pairs)

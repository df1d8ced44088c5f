"""Deterministic shuffles: the order of an epoch is a pure function of a seed and the epoch's number."""

import numpy as np

from osler.core.errors import InputError
from osler.core.rng import generator


def epoch_order(num_rows: int, *, seed: int, epoch: int) -> np.ndarray:
    """All row numbers in the order of `epoch`: a uniform permutation. Shape [num_rows], int64."""
    return generator(seed, "epoch_order", epoch).permutation(num_rows)


def windowed_order(shard_of_row: np.ndarray, *, seed: int, epoch: int, window_shards: int) -> np.ndarray:
    """All row numbers, shuffled so that only `window_shards` shards are read from at a time.

    The shards are put in random order, cut into windows, and the rows of each window shuffled together.
    Use it on network disks, where reading at random over all shards is slow.

    Args:
        shard_of_row: the shard of each row: any values that tell shards apart. Shape [num_rows].
        seed: the run's seed.
        epoch: the epoch's number, from 0.
        window_shards: how many shards are mixed; at least 1.

    Returns:
        Row numbers, shape [num_rows], int64.
    """
    if window_shards < 1:
        raise InputError("window_shards must be at least 1", got=str(window_shards))
    shards, shard_number = np.unique(np.asarray(shard_of_row), return_inverse=True)
    random = generator(seed, "windowed_order", epoch)
    window_of_shard = np.empty(len(shards), dtype=np.int64)
    window_of_shard[random.permutation(len(shards))] = np.arange(len(shards)) // window_shards
    shuffled = random.permutation(len(shard_number))
    return shuffled[np.argsort(window_of_shard[shard_number[shuffled]], kind="stable")]

"""Random generators that are a pure function of a seed and of names."""

import hashlib

import numpy as np


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A generator for `names` under `seed`: the same arguments give the same stream, others an independent one."""
    text = "\x1f".join(str(part) for part in (seed, *names))
    return np.random.default_rng(np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype=np.uint32))

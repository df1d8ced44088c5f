"""Near words: which texts of a set may be nearly the same as another one, found without comparing pairs.

Two sets of runs with a Jaccard of at least t share at least t of each set's runs. So if the runs of all sets are put in
one order, the first n - ceil(t n) + 1 runs of both, n being each one's number, have a run in common (R. Bayardo, Y. Ma,
R. Srikant, WWW 2007). With the rarest runs first, few texts that are unlike share any of these.
"""

import math
from collections.abc import Sequence

import numpy as np

from osler.curate.duplicates.words import EDITED, MIN_BESIDE_IMAGE, SHINGLE, words

_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def may_be_near(texts: Sequence[str], scopes: Sequence[str]) -> np.ndarray:
    """Whether each text may have the same words as another of its scope, as `words.same_words` sees it.

    None that has is missed; some that have not are named, too.

    Args:
        texts: of a set.
        scopes: one a text; those of differing scopes are not compared.

    Returns:
        bool, shape [texts].
    """
    numbers: dict[str, int] = {}
    runs = [_runs(text, scope, numbers) for text, scope in zip(texts, scopes, strict=True)]
    sizes = np.array([len(each) for each in runs], dtype=np.int64)
    if not len(sizes):
        return np.zeros(0, dtype=bool)
    owner = np.repeat(np.arange(len(runs)), sizes)
    _, number, counts = np.unique(np.concatenate(runs), return_inverse=True, return_counts=True)
    order = np.lexsort((number, counts[number], owner))
    owner, number = owner[order], number[order]
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    looked_at = np.array([size - math.ceil(MIN_BESIDE_IMAGE * size) + 1 for size in sizes.tolist()])
    is_first = rank < looked_at[owner]
    owner, number = owner[is_first], number[is_first]
    is_shared = np.bincount(number)[number] > 1
    found = np.zeros(len(runs), dtype=bool)
    found[owner[is_shared]] = True
    return found


def _runs(text: str, scope: str, numbers: dict[str, int]) -> np.ndarray:
    """The runs of three words within a scope, each as a number, uint64; of a text below fifteen words the whole.

    Words get numbers as they come. Two runs have the same number once in 10^19, and then a text more is named.
    """
    tokens = words(text)
    known = np.array([numbers.setdefault(word, len(numbers)) for word in (f"\0{scope}", *tokens)], dtype=np.uint64) + 1
    size = SHINGLE if len(tokens) >= EDITED else len(tokens)
    count = len(tokens) - size + 1
    run = np.full(count, known[0])
    with np.errstate(over="ignore"):
        for place in range(size):
            run = (run ^ (run >> np.uint64(29))) * _FACTOR + known[1 + place : 1 + place + count]
    return np.unique(run)

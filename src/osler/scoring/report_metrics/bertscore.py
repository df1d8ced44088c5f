"""BERTScore of two lists of token vectors: each token against its nearest on the other side."""

from typing import NamedTuple

import numpy as np

MODEL, LAYER = "distilroberta-base", 5
# Mean scores of unrelated English sentences at that layer, as published with the package bert-score.
BASELINE = (0.84732, 0.84759504, 0.8473319)


class Score(NamedTuple):
    """Precision, recall and F1, raw or rescaled."""

    precision: float
    recall: float
    f1: float


def bertscore(
    given: np.ndarray,
    gold: np.ndarray,
    *,
    given_counts: np.ndarray | None = None,
    gold_counts: np.ndarray | None = None,
) -> Score:
    """Raw scores of two matrices of token vectors (rows).

    given_counts, gold_counts: which rows are averaged; the others (the tokens that open and close a text) may still be
    some row's nearest. 0 where a side has no row that counts.
    """
    ours = np.ones(len(given), dtype=bool) if given_counts is None else given_counts
    theirs = np.ones(len(gold), dtype=bool) if gold_counts is None else gold_counts
    if not ours.any() or not theirs.any():
        return Score(0.0, 0.0, 0.0)
    cosines = _unit(given) @ _unit(gold).T
    precision = float(cosines.max(axis=1)[ours].mean())
    recall = float(cosines.max(axis=0)[theirs].mean())
    return Score(precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0)


def rescaled(score: Score) -> Score:
    """The scores moved so that unrelated sentences score about 0 and equal ones 1; each by its own baseline."""
    return Score(*((value - base) / (1 - base) for value, base in zip(score, BASELINE, strict=True)))


def _unit(vectors: np.ndarray) -> np.ndarray:
    wide = np.asarray(vectors, dtype=np.float64)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)

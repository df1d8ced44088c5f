"""Option order: does a model choose an option for what it says or for where it stands?

Each question with k options is asked in k cyclic orders, so every option, the right one too, stands once at each
letter. A model that reads chooses each letter equally often; chi-square says how far it is from that.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from osler.core.rng import generator
from osler.schema.base import Record
from osler.schema.result import Interval
from osler.schema.sample import LETTERS
from osler.scoring.distributions import chi_square_tail
from osler.scoring.intervals import interval

NUM_TURNS = 9999


class Turned(NamedTuple):
    """One item's answer with its options turned `places` on. Letters are as shown; None where none was declared."""

    item_id: str
    cluster: str
    places: int
    num_options: int
    chosen: str | None
    gold: str


class Position(Record):
    """One letter: how often the right option stood there, the share then right, and how often it was chosen."""

    n: int
    accuracy: float
    chosen: int
    expected: float


class OptionOrder(Record):
    """A task's choices over all cyclic orders.

    num_items: those asked and answered in every order; incomplete: those that were not, which are left out.
    mean: the mean over items and orders; all_correct: the share of items right in every order; first: in the stored
    order.
    chi_square: of chosen letters against equal use, over declared letters. p takes answers as independent; p_turned
    does not: it turns all letters of each cluster by a random number of places, 9,999 times.
    """

    num_items: int
    incomplete: int
    mean: Interval
    all_correct: Interval
    first: Interval
    positions: dict[str, Position]
    chi_square: float | None
    degrees: int | None
    p: float | None
    p_turned: float | None


def option_order(answers: Sequence[Turned], *, seed: int = 0) -> OptionOrder | None:
    """The summary of all answers; None where no item was answered in every order."""
    items: dict[str, dict[int, Turned]] = defaultdict(dict)
    for answer in answers:
        items[answer.item_id][answer.places] = answer
    whole = [list(turns.values()) for turns in items.values() if len(turns) == next(iter(turns.values())).num_options]
    if not whole:
        return None
    right = [[float(turn.chosen == turn.gold) for turn in turns] for turns in whole]
    clusters = [turns[0].cluster for turns in whole]
    means = [sum(scores) / len(scores) for scores in right]
    stored = [next(float(turn.chosen == turn.gold) for turn in turns if turn.places == 0) for turns in whole]
    observed, expected = _letters(whole)
    chi_square, degrees = _chi_square(observed, expected)
    return OptionOrder(
        num_items=len(whole),
        incomplete=len(items) - len(whole),
        mean=_interval(means, clusters, whole),
        all_correct=_interval([float(all(scores)) for scores in right], clusters, whole),
        first=_interval(stored, clusters, whole),
        positions=_positions(whole, observed, expected),
        chi_square=chi_square,
        degrees=degrees,
        p=None if chi_square is None or not degrees else chi_square_tail(chi_square, degrees),
        p_turned=_p_turned(whole, seed),
    )


def _interval(scores: Sequence[float], clusters: Sequence[str], items: Sequence[Sequence[Turned]]) -> Interval:
    found = interval(scores, clusters, bounds=(0.0, 1.0))
    return Interval(
        value=found.value,
        ci_low=found.low,
        ci_high=found.high,
        ci_method=found.method,
        n=len(scores),
        n_clusters=len(set(clusters)),
        unparsed=sum(turn.chosen is None for turns in items for turn in turns),
    )


def _letters(items: Sequence[Sequence[Turned]]) -> tuple[np.ndarray, np.ndarray]:
    """How often each letter was chosen, and how often it would be if the letters of a question were used equally."""
    observed, expected = np.zeros(len(LETTERS)), np.zeros(len(LETTERS))
    for turn in (turn for turns in items for turn in turns if turn.chosen is not None):
        observed[LETTERS.index(turn.chosen or "")] += 1
        expected[: turn.num_options] += 1 / turn.num_options
    return observed, expected


def _chi_square(observed: np.ndarray, expected: np.ndarray) -> tuple[float | None, int | None]:
    used = expected > 0
    if not used.any():
        return None, None
    return float((np.square(observed[used] - expected[used]) / expected[used]).sum()), int(used.sum()) - 1


def _positions(items: Sequence[Sequence[Turned]], observed: np.ndarray, expected: np.ndarray) -> dict[str, Position]:
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for turn in (turn for turns in items for turn in turns):
        asked[turn.gold] += 1
        right[turn.gold] += turn.chosen == turn.gold
    return {
        letter: Position(
            n=asked[letter],
            accuracy=right[letter] / asked[letter],
            chosen=int(observed[place]),
            expected=float(expected[place]),
        )
        for place, letter in enumerate(LETTERS)
        if asked[letter]
    }


def _p_turned(items: Sequence[Sequence[Turned]], seed: int) -> float | None:
    """The p of chi-square under turning the chosen letters of whole clusters, each within its options."""
    counts: dict[tuple[str, int], np.ndarray] = {}
    for turn in (turn for turns in items for turn in turns if turn.chosen is not None):
        row = counts.setdefault((turn.cluster, turn.num_options), np.zeros(turn.num_options))
        row[LETTERS.index(turn.chosen or "")] += 1
    observed, expected = _letters(items)
    seen = _chi_square(observed, expected)[0]
    if seen is None:
        return None
    random = generator(seed, "option_order", NUM_TURNS)
    totals = np.zeros((NUM_TURNS, len(LETTERS)))
    for (_, num_options), row in counts.items():
        turned = np.stack([np.roll(row, places) for places in range(num_options)])
        totals[:, :num_options] += turned[random.integers(num_options, size=NUM_TURNS)]
    used = expected > 0
    found = (np.square(totals[:, used] - expected[used]) / expected[used]).sum(axis=1)
    return float((int((found >= seen * (1 - 1e-9) - 1e-9).sum()) + 1) / (NUM_TURNS + 1))

"""Repeated questions: stems with options that say nearly the same, found over the whole set without comparing pairs.

Two sets of three-word runs with a Jaccard of at least t share one of each set's n - ceil(t n) + 1 rarest runs, n being
its number (R. Bayardo, Y. Ma, R. Srikant, WWW 2007), so only texts that share one of these are compared.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from osler.curate.duplicates.words import MIN_JACCARD, jaccard, shingles, words
from osler.synth.reasoning.case import Question


@dataclass(frozen=True)
class Repeat:
    """A question that says what an earlier one says."""

    id: str
    matched_id: str
    score: float


def repeated_questions(questions: Iterable[tuple[str, Question]]) -> Iterator[Repeat]:
    """The questions that repeat one before them which is no repeat itself; ids with questions, in order of right."""
    runs = {id: _runs(question) for id, question in questions}
    counts = Counter(run for each in runs.values() for run in each)
    owners: dict[str, list[str]] = {}
    for id, each in runs.items():
        rarest = sorted(each, key=lambda run: (counts[run], run))
        looked_at = rarest[: len(rarest) - math.ceil(MIN_JACCARD * len(rarest)) + 1]
        found = dict.fromkeys(owner for run in looked_at for owner in owners.get(run, ()))
        scored = [(jaccard(each, runs[owner]), owner) for owner in found]
        best = max(scored, key=lambda pair: pair[0], default=(0.0, ""))
        if best[0] >= MIN_JACCARD:
            yield Repeat(id, best[1], best[0])
            continue
        for run in looked_at:
            owners.setdefault(run, []).append(id)


def _runs(question: Question) -> frozenset[str]:
    return shingles(words(" ".join([question.stem, *sorted(question.options)])))

"""Letters: in which order the options of each sample stand, so that over a split no letter is right more often."""

from collections.abc import Iterable

from osler.core.rng import generator
from osler.schema.sample import LETTERS, Split
from osler.synth.reasoning.case import Question

Kind = tuple[Split, int]
"""A split and a number of options, within which letters are balanced."""


def balanced_letters(kinds: Iterable[Kind], *, seed: int) -> list[str]:
    """The right letter of each sample: within a kind, letters differ in number by one at most, their order is drawn."""
    every = list(kinds)
    drawn: dict[Kind, list[str]] = {}
    for kind in dict.fromkeys(every):
        split, num_options = kind
        rng = generator(seed, "letters", split, num_options)
        count = every.count(kind)
        # Which letters get one more is drawn, too: else A would have it in every split.
        names = [LETTERS[number] for number in rng.permutation(num_options)]
        letters = [names[number % num_options] for number in range(count)]
        drawn[kind] = [letters[number] for number in rng.permutation(count)][::-1]
    return [drawn[kind].pop() for kind in every]


def ordered_options(question: Question, letter: str, *, seed: int, id: str) -> tuple[str, ...]:
    """The options with the right one at `letter`, the others in an order that is drawn."""
    others = [option for option in question.options if option != question.answer]
    order = generator(seed, "options", id).permutation(len(others))
    shuffled = [others[number] for number in order]
    at = LETTERS.index(letter)
    return (*shuffled[:at], question.answer, *shuffled[at:])

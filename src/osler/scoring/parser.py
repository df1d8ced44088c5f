"""Parser: another program's way of reading and marking an answer, kept under that program's name.

These rules are reproduced so that a published number can be traced and the distance to it measured. They guess, match
parts of words or look for the nearest string, which `extract.py` never does. A number made by one is always labelled
`MEASURE[compat:NAME]`, so that it cannot pass for Osler's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from osler.core.catalog import PARSERS
from osler.core.errors import InputError, did_you_mean
from osler.schema.sample import Answer


class Verdict(NamedTuple):
    """What a rule made of one answer.

    parsed: what it took for the answer (a letter, a label, words); None where it found nothing.
    score: 0 to 1; None where the rule leaves the item out of its mean.
    guessed: whether `parsed` was drawn or taken for its likeness, not read.
    expected: for a drawn guess, the mean of its score over all draws.
    """

    parsed: str | None
    score: float | None
    guessed: bool = False
    expected: float | None = None


Judge = Callable[[str, Answer, np.random.Generator], Verdict]


@dataclass(frozen=True)
class Parser:
    """One program's rule.

    name: the file's name, with `/variant` where there are several.
    rule: the rule in a few words, printed beside every number.
    source: the repository and the file that state it.
    measures: by kind of answer, what its mean is called (`accuracy`, `token_recall`); other kinds it does not mark.
    judge: the reply's final words, the gold answer and a generator for the item's draw to a verdict.
    variants: other named forms of the same rule.
    """

    name: str
    rule: str
    source: str
    measures: Mapping[str, str]
    judge: Judge
    variants: Mapping[str, "Parser"] = field(default_factory=dict)

    def label(self, measure: str) -> str:
        """What a score of this parser is called in results; never the name of one of Osler's metrics."""
        return f"{measure}[compat:{self.name}]"

    @property
    def signature(self) -> str:
        """The rule and its source, on one line."""
        return f"compat:{self.name}|{self.rule}|source:{self.source}"


def load_parser(name: str) -> Parser:
    """The parser called `name` or `name/variant`. Raises InputError that names the nearest known one."""
    base, slash, variant = name.partition("/")
    parser: Parser = PARSERS.load(base)
    if not slash:
        return parser
    if variant not in parser.variants:
        known = list(parser.variants)
        raise InputError(
            f"unknown variant {variant!r} of parser {base!r}",
            expected=f"one of {', '.join(known) or 'none: it has no variants'}",
            fix=did_you_mean(variant, known),
        )
    return parser.variants[variant]


def parser_names() -> list[str]:
    """Every parser and every variant, by name."""
    return [name for base in PARSERS.names() for name in (base, *(f"{base}/{v}" for v in PARSERS.load(base).variants))]

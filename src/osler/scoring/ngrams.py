"""Counts of n-grams and the BLEU scores made of them. Every function takes time linear in the number of words."""

import html
import math
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from osler.schema.sample import Answer
from osler.scoring.overlap import num_shared
from osler.scoring.scorer import Sums

Tokenise = Callable[[str], list[str]]
KINDS = ("closed", "open", "text")
_SYMBOL = re.compile(r"([!-&(-+/:-@\[-`{-~])")
_POINT_AFTER_NON_DIGIT = re.compile(r"([^0-9])([.,])")
_POINT_BEFORE_NON_DIGIT = re.compile(r"([.,])([^0-9])")
_DASH_AFTER_DIGIT = re.compile(r"([0-9])(-)")
_TINY, _SMALL = 1e-15, 1e-9


@dataclass(frozen=True)
class Counts:
    """Sums that BLEU is made of, `matched` and `given` by n-gram length from 1.

    wanted: words of the reference nearest in length; of two equally near, the shorter.
    """

    matched: tuple[int, ...]
    given: tuple[int, ...]
    wanted: int


def grams(words: Sequence[str], order: int) -> Sequence[Hashable]:
    """Each run of `order` words; a run of one is the word itself."""
    return words if order == 1 else list(zip(*(words[start:] for start in range(order)), strict=False))


def count(given: Sequence[str], references: Sequence[Sequence[str]], order: int = 1) -> Counts:
    """The counts of one item, clipped at the most any one reference holds."""
    matched = [
        num_shared(grams(given, length), [grams(reference, length) for reference in references])
        for length in range(1, order + 1)
    ]
    wanted = min((len(r) for r in references), key=lambda length: (abs(length - len(given)), length))
    return Counts(tuple(matched), tuple(max(0, len(given) - n) for n in range(order)), wanted)


def item_counts(parsed: str | None, answer: Answer, *, tokenise: Tokenise, order: int = 1) -> Counts:
    """The counts of an answer against the gold answer and its alternatives; an unparsed answer has no words."""
    references = [tokenise(text) for text in (answer.text, *answer.alternatives)]
    return count(tokenise(parsed or ""), references, order)


def brevity(given: float, wanted: float) -> float:
    """The penalty on answers shorter than their references."""
    return 1.0 if given > wanted else math.exp(1 - wanted / given)


def sentence_bleu(counts: Counts, *, epsilon: float = 0.0) -> float:
    """The geometric mean of the clipped precisions times the brevity penalty; 0 without a shared word.

    epsilon: what stands for a match where none of a length matches; 0 makes the whole score 0.
    """
    if not counts.matched[0]:
        return 0.0
    logs = 0.0
    for matched, given in zip(counts.matched, counts.given, strict=True):
        if not (matched or epsilon):
            return 0.0
        logs += math.log((matched or epsilon) / max(1, given))
    return brevity(counts.given[0], counts.wanted) * math.exp(logs / len(counts.matched))


def corpus_sums(counts: Counts) -> Sums:
    """One item's part of the sums that corpus BLEU is made of."""
    sums: dict[object, float] = {("matched", n): value for n, value in enumerate(counts.matched)}
    sums.update({("given", n): value for n, value in enumerate(counts.given)})
    sums.update({("at_least_one", n): max(1, value) for n, value in enumerate(counts.given)})
    return {**sums, ("wanted", 0): counts.wanted}


def coco_bleu(sums: Sums, *, order: int) -> float:
    """Corpus BLEU whose quotients two tiny constants keep finite, as the caption evaluation tools compute it."""
    given, wanted = sums["given", 0], sums["wanted", 0]
    ratio = (given + _TINY) / (wanted + _SMALL)
    logs = sum(math.log((sums["matched", n] + _TINY) / (sums["given", n] + _SMALL)) for n in range(order))
    return math.exp(logs / order) * (math.exp(1 - 1 / ratio) if ratio < 1 else 1.0)


def words_13a(text: str) -> list[str]:
    """The words of `text` as mteval-v13a separates them: symbols apart, points and commas kept inside numbers."""
    plain = html.unescape(text.replace("<skipped>", "").replace("-\n", "").replace("\n", " "))
    spaced = _SYMBOL.sub(r" \1 ", f" {plain} ")
    spaced = _POINT_AFTER_NON_DIGIT.sub(r"\1 \2 ", spaced)
    spaced = _POINT_BEFORE_NON_DIGIT.sub(r" \1 \2", spaced)
    return _DASH_AFTER_DIGIT.sub(r"\1 \2 ", spaced).split()


def lower_words(text: str) -> list[str]:
    """Lower-cased words, split at spaces."""
    return text.lower().split()


def report_words(text: str) -> list[str]:
    """Lower-cased words, split at spaces, a full stop being a word of its own."""
    return text.lower().replace(".", " .").split()

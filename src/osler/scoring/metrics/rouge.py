"""ROUGE-1, ROUGE-2 and ROUGE-L (F-measure, mean over items) in three named tokenisations.

rouge/1, rouge/2, rouge/l             lower-cased runs of a-z and 0-9 (default: rouge/l)
rouge/1-stem, rouge/2-stem, ...       the same, words of more than three letters stemmed after Porter (needs nltk)
rouge/1-unicode, rouge/2-unicode, ... lower-cased runs of letters and digits of any script: without it a Chinese
                                      report has no words and scores 0
"""

import re
from collections.abc import Callable, Sequence
from functools import cache, partial

from osler.core.errors import InputError
from osler.schema.sample import Answer
from osler.scoring.ngrams import KINDS, grams
from osler.scoring.overlap import num_shared
from osler.scoring.scorer import Metric

Tokenise = Callable[[str], list[str]]
_ASCII = re.compile(r"[a-z0-9]+")
_UNICODE = re.compile(r"[^\W_]+")
_SHORT = 3
_LONG = ("text",)  # a phrase of one word has no pair of words to share


def score(parsed: str | None, answer: Answer, *, order: str, tokenise: Tokenise) -> float | None:
    """The best F-measure over the gold answer and its alternatives; 0 if unparsed, None for choices and numbers."""
    if answer.kind not in (_LONG if order == "2" else KINDS):
        return None
    if parsed is None:
        return 0.0
    given = tokenise(parsed)
    measure = partial(_lcs_f1, given) if order == "l" else partial(_gram_f1, given, order=int(order))
    return max(measure(tokenise(text)) for text in (answer.text, *answer.alternatives))


def ascii_words(text: str) -> list[str]:
    """Lower-cased runs of a-z and 0-9."""
    return _ASCII.findall(text.lower())


def unicode_words(text: str) -> list[str]:
    """Lower-cased runs of letters and digits of any script."""
    return _UNICODE.findall(text.lower())


def stemmed_words(text: str) -> list[str]:
    """Lower-cased runs of a-z and 0-9, the longer ones stemmed."""
    stem = _stemmer()
    return [stem(word) if len(word) > _SHORT else word for word in ascii_words(text)]


@cache
def _stemmer() -> Callable[[str], str]:
    try:
        from nltk.stem.porter import PorterStemmer
    except ModuleNotFoundError as error:
        raise InputError("the stemmed forms of rouge need nltk", fix="pip install -e '.[metrics]'") from error
    return cache(PorterStemmer().stem)


def _f1(shared: int, given: int, gold: int) -> float:
    return 2 * shared / (given + gold) if shared else 0.0


def _gram_f1(given: Sequence[str], gold: Sequence[str], *, order: int) -> float:
    ours, theirs = grams(given, order), grams(gold, order)
    return _f1(num_shared(ours, [theirs]), len(ours), len(theirs))


def _lcs_f1(given: Sequence[str], gold: Sequence[str]) -> float:
    return _f1(_lcs(given, gold), len(given), len(gold))


def _lcs(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence, all cells of a row in one integer (Hyyro 2004).

    Time is len(a) * len(b) / 64 machine words: 100,000 characters against a report take milliseconds.
    """
    shorter, longer = sorted((a, b), key=len)
    places: dict[str, int] = {}
    for position, word in enumerate(shorter):
        places[word] = places.get(word, 0) | 1 << position
    full = (1 << len(shorter)) - 1
    row = full
    for word in longer:
        match = row & places.get(word, 0)
        row = ((row + match) | (row - match)) & full
    return len(shorter) - row.bit_count()


def _form(order: str, suffix: str, tokenise: Tokenise, tokens: str) -> Metric:
    name = f"rouge/{order}{suffix}"
    return Metric(
        name=name,
        signature=f"{name}|tok:{tokens}|case:lower|measure:f1|agg:mean|alternatives:best|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper="Lin 2004, ACL W04-1013",
        kinds=_LONG if order == "2" else KINDS,
        score=partial(score, order=order, tokenise=tokenise),
    )


_FORMS = {
    f"{order}{suffix}": _form(order, suffix, tokenise, tokens)
    for suffix, tokenise, tokens in (
        ("", ascii_words, "a-z0-9"),
        ("-stem", stemmed_words, "a-z0-9|stem:porter>3"),
        ("-unicode", unicode_words, "letters-digits"),
    )
    for order in ("1", "2", "l")
}
METRIC = Metric(
    name="rouge",
    signature=_FORMS["l"].signature,
    range=(0.0, 1.0),
    paper=_FORMS["l"].paper,
    kinds=KINDS,
    score=_FORMS["l"].score,
    variants=_FORMS,
)

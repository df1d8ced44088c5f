"""BLEU-1 in six named forms, because the forms in use differ by a factor of 1.4 on the same answers.

bleu1/nltk-sent-lower  mean over items of the sentence score, words split at spaces, lower-cased (default)
bleu1/nltk-sent        the same with case kept
bleu1/nltk-corpus      clipped matches and lengths summed over items; an item without words counts one word
bleu1/coco-corpus      the same sums; tiny constants keep the quotients finite
bleu1/sacre-13a-lc     sums over mteval-13a tokens, lower-cased
bleu1/sonsbeek-char    strings passed where lists of words were meant: each character of the reference is a
                       reference of one token. Wrong, but published numbers were made with it.
"""

import html
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from osler.schema.sample import Answer
from osler.scoring.scorer import Metric, Pair

Tokenise = Callable[[str], list[str]]
Smoothing = Literal["one-word-minimum", "tiny"]
_SYMBOL = re.compile(r"([!-&(-+/:-@\[-`{-~])")
_POINT_AFTER_NON_DIGIT = re.compile(r"([^0-9])([.,])")
_POINT_BEFORE_NON_DIGIT = re.compile(r"([.,])([^0-9])")
_DASH_AFTER_DIGIT = re.compile(r"([0-9])(-)")
_TINY, _SMALL = 1e-15, 1e-9


@dataclass(frozen=True)
class Counts:
    """Sums that BLEU-1 is made of: clipped matches, words given, words of the reference nearest in length."""

    matched: int
    given: int
    wanted: int


def count(given: list[str], references: Sequence[list[str]]) -> Counts:
    """The counts of one item. Of references equally near in length the shorter counts."""
    most: Counter[str] = Counter()
    for reference in references:
        most |= Counter(reference)
    wanted = min((len(r) for r in references), key=lambda length: (abs(length - len(given)), length))
    return Counts(matched=(Counter(given) & most).total(), given=len(given), wanted=wanted)


def words_13a(text: str) -> list[str]:
    """The words of `text` as mteval-v13a separates them: symbols apart, points and commas kept inside numbers."""
    plain = html.unescape(text.replace("<skipped>", "").replace("-\n", "").replace("\n", " "))
    spaced = _SYMBOL.sub(r" \1 ", f" {plain} ")
    spaced = _POINT_AFTER_NON_DIGIT.sub(r"\1 \2 ", spaced)
    spaced = _POINT_BEFORE_NON_DIGIT.sub(r" \1 \2", spaced)
    return _DASH_AFTER_DIGIT.sub(r"\1 \2 ", spaced).split()


def sentence(parsed: str | None, answer: Answer, *, tokenise: Tokenise) -> float | None:
    """One item's clipped precision times its brevity penalty; 0 for an unparsed answer."""
    if answer.kind not in METRIC.kinds:
        return None
    counts = count(tokenise(parsed or ""), [tokenise(text) for text in (answer.text, *answer.alternatives)])
    if not counts.matched:
        return 0.0
    return counts.matched / counts.given * _brevity(counts.given, counts.wanted)


def characters(parsed: str | None, answer: Answer) -> float | None:
    """The character form: distinct characters shared with the reference over characters given."""
    if answer.kind not in METRIC.kinds:
        return None
    given = parsed or ""
    return len(set(given) & set(answer.text)) / len(given) if given else 0.0


def corpus(pairs: Sequence[Pair], *, tokenise: Tokenise, smoothing: Smoothing) -> float:
    """BLEU-1 from counts summed over all pairs; an unparsed answer is one without words."""
    all_counts = [
        count(tokenise(parsed or ""), [tokenise(text) for text in (answer.text, *answer.alternatives)])
        for parsed, answer in pairs
    ]
    matched, wanted = sum(c.matched for c in all_counts), sum(c.wanted for c in all_counts)
    given = sum(c.given for c in all_counts)
    if smoothing == "tiny":
        ratio = (given + _TINY) / (wanted + _SMALL)
        return (matched + _TINY) / (given + _SMALL) * (math.exp(1 - 1 / ratio) if ratio < 1 else 1.0)
    if not matched:
        return 0.0
    return matched / sum(max(1, c.given) for c in all_counts) * _brevity(given, wanted)


def corpus_13a(pairs: Sequence[Pair]) -> float:
    """BLEU-1 over lower-cased 13a words, without any constant added."""
    all_counts = [
        count(words_13a((parsed or "").lower()), [words_13a(t.lower()) for t in (answer.text, *answer.alternatives)])
        for parsed, answer in pairs
    ]
    matched, given = sum(c.matched for c in all_counts), sum(c.given for c in all_counts)
    return matched / given * _brevity(given, sum(c.wanted for c in all_counts)) if matched else 0.0


def lower_words(text: str) -> list[str]:
    """Lower-cased words, split at spaces."""
    return text.lower().split()


def _brevity(given: int, wanted: int) -> float:
    return 1.0 if given > wanted else math.exp(1 - wanted / given)


def _form(name: str, detail: str, score: Callable[..., float | None], **fields: object) -> Metric:
    return Metric(
        name=f"bleu1/{name}",
        signature=f"bleu1/{name}|{detail}|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper="Papineni et al. 2002, doi 10.3115/1073083.1073135",
        kinds=("closed", "open", "text"),
        score=score,
        **fields,  # type: ignore[arg-type]
    )


_LOWER = partial(sentence, tokenise=lower_words)
_SPLIT = partial(sentence, tokenise=str.split)
_FORMS = {
    "nltk-sent-lower": _form("nltk-sent-lower", "tok:split|case:lower|agg:mean", _LOWER),
    "nltk-sent": _form("nltk-sent", "tok:split|case:mixed|agg:mean", _SPLIT),
    "nltk-corpus": _form(
        "nltk-corpus",
        "tok:split|case:mixed|agg:corpus|empty:one-word",
        _SPLIT,
        corpus=partial(corpus, tokenise=str.split, smoothing="one-word-minimum"),
    ),
    "coco-corpus": _form(
        "coco-corpus",
        "tok:split|case:mixed|agg:corpus|smooth:1e-15/1e-9",
        _SPLIT,
        corpus=partial(corpus, tokenise=str.split, smoothing="tiny"),
    ),
    "sacre-13a-lc": _form("sacre-13a-lc", "tok:13a|case:lower|agg:corpus", _LOWER, corpus=corpus_13a),
    "sonsbeek-char": _form("sonsbeek-char", "tok:characters|case:mixed|agg:mean", characters),
}
METRIC = Metric(
    name="bleu1",
    signature=_FORMS["nltk-sent-lower"].signature,
    range=(0.0, 1.0),
    paper=_FORMS["nltk-sent-lower"].paper,
    kinds=("closed", "open", "text"),
    score=_FORMS["nltk-sent-lower"].score,
    variants=_FORMS,
)

"""BLEU-1 in seven named forms, because the forms in use differ by a factor of 1.4 on the same answers.

bleu1/nltk-sent-lower  mean over items of the sentence score, words split at spaces, lower-cased (default)
bleu1/nltk-sent        the same with case kept
bleu1/nltk-corpus      clipped matches and lengths summed over items; an item without words counts one word
bleu1/coco-corpus      the same sums; tiny constants keep the quotients finite
bleu1/sacre-13a        sums over mteval-13a tokens, case kept
bleu1/sacre-13a-lc     the same, lower-cased
bleu1/sonsbeek-char    strings passed where lists of words were meant: each character of the reference is a
                       reference of one token. Wrong, but published numbers were made with it.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

from osler.schema.sample import Answer
from osler.scoring.ngrams import (
    KINDS,
    Tokenise,
    brevity,
    coco_bleu,
    corpus_sums,
    item_counts,
    lower_words,
    sentence_bleu,
    words_13a,
)
from osler.scoring.scorer import Metric, Sums

Empty = Literal["one-word", "tiny", "none"]


def sentence(parsed: str | None, answer: Answer, *, tokenise: Tokenise) -> float | None:
    """One item's clipped precision times its brevity penalty; 0 for an unparsed answer."""
    if answer.kind not in KINDS:
        return None
    return sentence_bleu(item_counts(parsed, answer, tokenise=tokenise))


def characters(parsed: str | None, answer: Answer) -> float | None:
    """The character form: distinct characters shared with the reference over characters given."""
    if answer.kind not in KINDS:
        return None
    given = parsed or ""
    return len(set(given) & set(answer.text)) / len(given) if given else 0.0


def sums(parsed: str | None, answer: Answer, *, tokenise: Tokenise) -> Sums:
    """One item's part of the corpus sums; an unparsed answer is one without words."""
    return corpus_sums(item_counts(parsed, answer, tokenise=tokenise))


def of_sums(sums: Sums, *, empty: Empty) -> float:
    """BLEU-1 of the sums. empty: what stands for an item without words, or keeps the quotients finite."""
    matched, given, wanted = sums["matched", 0], sums["given", 0], sums["wanted", 0]
    if empty == "tiny":
        return coco_bleu(sums, order=1)
    if not matched:
        return 0.0
    words = sums["at_least_one", 0] if empty == "one-word" else given
    return matched / words * brevity(given, wanted)


def lower_13a(text: str) -> list[str]:
    """Lower-cased 13a words."""
    return words_13a(text.lower())


def _form(name: str, detail: str, score: Callable[..., float | None], **fields: object) -> Metric:
    return Metric(
        name=f"bleu1/{name}",
        signature=f"bleu1/{name}|{detail}|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper="Papineni et al. 2002, doi 10.3115/1073083.1073135",
        kinds=KINDS,
        score=score,
        **fields,  # type: ignore[arg-type]
    )


def _corpus(name: str, detail: str, tokenise: Tokenise, empty: Empty) -> Metric:
    return _form(
        name,
        detail,
        partial(sentence, tokenise=tokenise),
        sums=partial(sums, tokenise=tokenise),
        of_sums=partial(of_sums, empty=empty),
    )


_LOWER = partial(sentence, tokenise=lower_words)
_FORMS = {
    "nltk-sent-lower": _form("nltk-sent-lower", "tok:split|case:lower|agg:mean", _LOWER),
    "nltk-sent": _form("nltk-sent", "tok:split|case:mixed|agg:mean", partial(sentence, tokenise=str.split)),
    "nltk-corpus": _corpus("nltk-corpus", "tok:split|case:mixed|agg:corpus|empty:one-word", str.split, "one-word"),
    "coco-corpus": _corpus("coco-corpus", "tok:split|case:mixed|agg:corpus|smooth:1e-15/1e-9", str.split, "tiny"),
    "sacre-13a": _corpus("sacre-13a", "tok:13a|case:mixed|agg:corpus", words_13a, "none"),
    "sacre-13a-lc": _corpus("sacre-13a-lc", "tok:13a|case:lower|agg:corpus", lower_13a, "none"),
    "sonsbeek-char": _form("sonsbeek-char", "tok:characters|case:mixed|agg:mean", characters),
}
METRIC = Metric(
    name="bleu1",
    signature=_FORMS["nltk-sent-lower"].signature,
    range=(0.0, 1.0),
    paper=_FORMS["nltk-sent-lower"].paper,
    kinds=KINDS,
    score=_LOWER,
    variants=_FORMS,
)

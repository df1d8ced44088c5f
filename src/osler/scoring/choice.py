r"""The chosen letter of a multiple-choice reply, where it is declared; anything else is no answer.

Declared means: the whole reply is a letter (`B`, `b.`, `(B)`); `Answer: B`, `The answer is B`, `\boxed{B}`,
`Option B`, each with or without markup; `B. words of option B`; or the exact words of one option. Letters that
disagree, that are negated or hedged, or that lie beyond the options make the reply unparsed.
"""

import re
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from osler.schema.sample import LETTERS
from osler.scoring.normalise import normalise, squeeze

_M = r"[\s*_`\"'$]*+"
_END = r"(?=[\s*_`\"'$)\]}]*(?:[.,;:!)\]\n]|\Z|[-\u2013\u2014]\s|\s(?:because|since|as)\b))"
_BARE = re.compile(rf"{_M}[(\[]?{_M}([A-Ja-j]){_M}[)\]]?[.:]?{_M}\Z")
_MARKED = re.compile(
    rf"(?i:\banswer{_M}(?:is|:|=)+{_M}:?{_M}(?:option|choice)?){_M}"
    rf"(?:[(\[]([A-J])[)\]]|([A-J]){_END})"
)
_NAMED = re.compile(rf"(?i:\b(?:option|choice)){_M}(?:[(\[]([A-J])[)\]]|([A-J]){_END})")
_MENTIONED = re.compile(rf"(?i:\b(?:option|choice)s?){_M}[(\[]?([A-J])(?!\w)")
_BOXED = re.compile(r"\\boxed\{(?:\\text\{)?\s*\(?([A-J])\)?\s*\}")
_LED = re.compile(rf"{_M}(?:\(([A-J])\)|([A-J])[.):])[\s*_`\"'$]*\s([^\n]+)")
_LISTED = re.compile(r"[\s*_`)\]]*(?:,|/|&|\band\b|\bor\b|\+)\s*(?:or |and )?[(*]*[A-J](?![\w'])")
_NEGATED = re.compile(
    r"(?i:\b(?:not|neither|nor|except|than|either)|n't|cannot)\s+(?i:the )?(?i:answer |option |choice )?[(*\"']*"
    r"[A-J](?![\w'])(?!\s+[a-z])"
)
_DOUBT_BEFORE = re.compile(
    r"(?i)\b(?:not|never|cannot|doubt|unlikely|perhaps|maybe|possibly|probably|might|may|could|if|whether|unless)\b|n't\b"
)
_DOUBT_AFTER = re.compile(r"(?i)\b(?:wrong|incorrect|false|ruled out|not (?:correct|right|it|the))\b|\?")
_CLAUSE = re.compile(r"[.,;:\n]")
_SENTENCE_END = re.compile(r"\.(?=\s|\Z)|\n")
_MARGIN = 200


def read_choice(final: str, options: tuple[str, ...]) -> str | None:
    """The declared letter, `A` being `options[0]`, or None."""
    text = squeeze(final.replace("\u2019", "'").strip())
    letters = LETTERS[: len(options)]
    if exact := _exact_option(final, options):
        return exact
    if bare := _BARE.match(text):
        letter = bare.group(1).upper()
        return letter if letter in letters else None
    if _NEGATED.search(text):
        return None
    declared = _declared(text, options)
    if len(declared) != 1 or not declared.issuperset(_MENTIONED.findall(text)):
        return None
    (letter,) = declared
    return letter if letter is not None and letter in letters else None


def _exact_option(text: str, options: tuple[str, ...]) -> str | None:
    """The letter of the only option whose words these are, apart from case and the marks around."""
    words = normalise(text)
    same = [letter for letter, option in zip(LETTERS, options, strict=False) if words and normalise(option) == words]
    return same[0] if len(same) == 1 else None


def _declared(text: str, options: tuple[str, ...]) -> set[str | None]:
    """All letters declared in `text`; None stands for a declaration that is hedged or at odds with itself."""
    found: set[str | None] = set()
    doubts = _find_doubts(text)
    words = [normalise(option) for option in options]
    for pattern in (_MARKED, _NAMED, _BOXED):
        for match in pattern.finditer(text):
            letter = next(group for group in match.groups() if group)
            plain = not doubts.touch(match) and _stands_alone(text, match.end(), letter, words)
            found.add(letter if plain else None)
    if led := _LED.match(text):
        letter = led.group(1) or led.group(2)
        own = _option(letter, options)
        found.add(letter if own is not None and normalise(led.group(3)) == normalise(own) else None)
    return found


class _Doubts(NamedTuple):
    """Where words of doubt stand, and where clauses and sentences end; found once, since declarations may be many."""

    text: str
    before: list[tuple[int, int]]
    after: list[int]
    clause_ends: list[int]
    sentence_ends: list[int]

    def touch(self, match: re.Match[str]) -> bool:
        """Whether there is doubt in the clause before `match` or in the rest of its sentence."""
        clause = bisect_left(self.clause_ends, match.start())
        clause_start = self.clause_ends[clause - 1] + 1 if clause else 0
        earlier = bisect_right(self.before, match.start(), key=lambda span: span[1])
        if earlier and self.before[earlier - 1][0] >= clause_start:
            return True
        if self.text.startswith((".", ":", ")"), match.end()):
            return False
        later = bisect_left(self.after, match.end())
        sentence = bisect_left(self.sentence_ends, match.end())
        sentence_end = self.sentence_ends[sentence] if sentence < len(self.sentence_ends) else len(self.text)
        return later < len(self.after) and self.after[later] < sentence_end


def _find_doubts(text: str) -> _Doubts:
    return _Doubts(
        text,
        before=[found.span() for found in _DOUBT_BEFORE.finditer(text)],
        after=[found.start() for found in _DOUBT_AFTER.finditer(text)],
        clause_ends=[found.start() for found in _CLAUSE.finditer(text)],
        sentence_ends=[found.start() for found in _SENTENCE_END.finditer(text)],
    )


def _stands_alone(text: str, end: int, letter: str, words: list[str]) -> bool:
    """Whether a declaration has no second letter after it and none of the other options' words (normalised)."""
    longest = 2 * max(map(len, words)) + _MARGIN
    after = text[end : end + longest]
    named = normalise(after.partition("\n")[0].lstrip(" .):*-"))
    position = LETTERS.index(letter)
    own = words[position] if position < len(words) else ""
    hedged = own and named.startswith(f"{own} or ")
    return not (hedged or _LISTED.match(after) or (named and named != own and named in words))


def _option(letter: str, options: tuple[str, ...]) -> str | None:
    position = LETTERS.index(letter)
    return options[position] if position < len(options) else None

r"""The chosen letter of a multiple-choice reply, where it is declared; anything else is no answer.

Declared means: the whole reply is a letter (`B`, `b.`, `(B)`); `Answer: B`, `The answer is B`, `\boxed{B}`,
`Option B`, each with or without markup; `B. words of option B`; or the exact words of one option. Letters that
disagree, that are negated or hedged, or that lie beyond the options make the reply unparsed.
"""

import re

from osler.schema.sample import LETTERS
from osler.scoring.normalise import normalise

_M = r"[\s*_`\"'$]*"
_END = r"(?=[\s*_`\"'$)\]}]*(?:[.,;:!)\]\n]|\Z|[-\u2013\u2014]\s|\s(?:because|since|as)\b))"
_BARE = re.compile(rf"{_M}[(\[]?{_M}([A-Ja-j]){_M}[)\]]?[.:]?{_M}\Z")
_MARKED = re.compile(
    rf"(?i:\banswer{_M}(?:is|:|=)+{_M}:?{_M}(?:option|choice)?){_M}"
    rf"(?:[(\[]([A-J])[)\]]|([A-J]){_END})"
)
_NAMED = re.compile(rf"(?i:\b(?:option|choice)){_M}(?:[(\[]([A-J])[)\]]|([A-J]){_END})")
_MENTIONED = re.compile(rf"(?i:\b(?:option|choice)s?){_M}[(\[]?([A-J])(?!\w)")
_BOXED = re.compile(r"\\boxed\{(?:\\text\{)?\s*\(?([A-J])\)?\s*\}")
_LED = re.compile(rf"{_M}(?:\(([A-J])\)|([A-J])[.):]){_M}\s([^\n]+)")
_LISTED = re.compile(r"[\s*_`)\]]*(?:,|/|&|\band\b|\bor\b|\+)\s*(?:or |and )?[(*]*[A-J](?![\w'])")
_NEGATED = re.compile(
    r"(?i:\b(?:not|neither|nor|except|than|either)|n't|cannot)\s+(?i:the )?(?i:answer |option |choice )?[(*\"']*"
    r"[A-J](?![\w'])(?!\s+[a-z])"
)
_DOUBT_BEFORE = re.compile(
    r"\b(?:not|never|cannot|doubt|unlikely|perhaps|maybe|possibly|probably|might|may|could|if|whether|unless)\b|n't\b"
)
_DOUBT_AFTER = re.compile(r"\b(?:wrong|incorrect|false|ruled out|not (?:correct|right|it|the))\b|\?")
_CLAUSE = re.compile(r"[.,;:\n]")
_SENTENCE = re.compile(r"[.\n]\s|[.\n]\Z|\n")


def read_choice(final: str, options: tuple[str, ...]) -> str | None:
    """The declared letter, `A` being `options[0]`, or None."""
    text = final.replace("\u2019", "'").strip()
    letters = LETTERS[: len(options)]
    if exact := _exact_option(text, options):
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
    for pattern in (_MARKED, _NAMED, _BOXED):
        for match in pattern.finditer(text):
            letter = next(group for group in match.groups() if group)
            found.add(letter if _is_plain(text, match, letter, options) else None)
    if led := _LED.match(text):
        letter = led.group(1) or led.group(2)
        own = _option(letter, options)
        found.add(letter if own is not None and normalise(led.group(3)) == normalise(own) else None)
    return found


def _is_plain(text: str, match: re.Match[str], letter: str, options: tuple[str, ...]) -> bool:
    """Whether a declaration stands without doubt before it, a second letter after it or another option's words."""
    clause = _CLAUSE.split(text[: match.start()])[-1]
    after = text[match.end() :]
    sentence = _SENTENCE.split(after)[0] if not after.startswith((".", ":", ")")) else ""
    named = normalise(after.partition("\n")[0].lstrip(" .):*-"))
    own = normalise(_option(letter, options) or "")
    others = {normalise(option) for option in options} - {own}
    hedged = own and named.startswith(f"{own} or ")
    doubted = hedged or _DOUBT_BEFORE.search(clause.casefold()) or _DOUBT_AFTER.search(sentence.casefold())
    return not (doubted or _LISTED.match(after) or (named and named in others))


def _option(letter: str, options: tuple[str, ...]) -> str | None:
    position = LETTERS.index(letter)
    return options[position] if position < len(options) else None

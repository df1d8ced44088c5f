"""Captions: plain measures of a caption's words, and the operator shape that drops samples by them."""

import re
import unicodedata
from collections.abc import Callable, Collection

import pyarrow as pa

from osler.curate.drops import drop
from osler.curate.operator import Kept, keep_where
from osler.curate.pictures import Fault

CAPTION_TASKS = ("caption",)
"""The tasks whose answer is a caption. Answers to questions may be as short as they like."""

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_TOKEN = re.compile(r"\S+")
_NUMBER = re.compile(r"[^\w\s]*[+-]?\d[\d.,:/x×*+-]*[^\w\s]*", re.IGNORECASE)
_UNIT_WORDS = "nm µm μm um mm cm m ml l mg g kg kv kvp ma mas hz khz mhz s ms min h d x px % ° bar scale bars"
_UNITS = frozenset(_UNIT_WORDS.split())
_LABEL = re.compile(
    r"[^\w\s]*(?:fig(?:ure|s)?|image|panel|table|supplementary)?[^\w\s]*|[^\w\s]*[a-zA-Z][^\w\s]*", re.IGNORECASE
)

# Words that each language uses all the time and the others hardly ever. English words that other languages share ("in",
# "a", "an", "on", "as", "no", "was" in German) are left out on both sides.
FUNCTION_WORDS = {
    "en": "the of and with which that this these is are were from by for shows showing demonstrates revealing seen "
    "arrow arrows right left after before there it its has been at between both",
    "de": "der die das und mit eine einer eines einem einen zeigt ist nicht auf bei im vom zum zur des dem den durch "
    "sich nach sowie rechts rechten linken wurde werden beim pfeil auch oder",
    "fr": "le la les des une du et est avec dans pour sur par qui montrant montre au aux chez sans cette ce été gauche "
    "droit droite deux après flèche",
    "es": "el los las una del y con en para por que se muestra mostrando al sin como su izquierdo izquierda derecho "
    "derecha observa paciente flecha más entre",
    "it": "il lo gli della dello delle degli del e con che una per nel nella di da mostra evidenzia sinistra destra si "
    "sono alla freccia paziente",
    "pt": "o os as da do das dos uma e com em para por que não mostra evidenciando no na ao esquerda direita paciente "
    "seta mais à são",
    "nl": "de het een van en met op bij niet te aan dat die wordt werd links rechts pijl patiënt door voor naar",
    "pl": "w z na i do się jest nie po strzałka oraz lewej prawej widoczny przez dla",
    "tr": "ve bir ile bu için olarak görülmektedir sol sağ izlenmektedir hastanın gösteren ok olan",
}
_WORDS_OF = {language: frozenset(words.split()) for language, words in FUNCTION_WORDS.items()}

MISLEADING = {
    "panels": r"\bpanels?\s+\(?[a-h1-9]\b|\b(?:rows?|columns?)\s+[1-9]\b|\b(?:upper|lower|top|bottom|left|right|middle)"
    r"(?:[ -](?:upper|lower|left|right))?\s+(?:panels?|rows?|columns?|images?|figures?|inset)\b|"
    r"(?:^|[\s;.,(])\(?a\)(?=.*(?:^|[\s;.,(])\(?b\))|(?:^|\s)a[,:.]\s(?=.*\sb[,:.]\s)|\(\s*[a-h]\s*[-–,&]\s*[b-j]\s*\)",
    "other_figures": r"\b(?:same|see|cf\.?|refer to|compare(?:d)? (?:to|with)|from|in|as)\s+(?:\w+\s+){0,3}"
    r"(?:fig(?:ure|s)?\.?|table|video|movie)\s*\d|\bsame (?:patient|case|study|image|slide|section) as "
    r"(?:in |above|shown)|\bas (?:above|shown above|described above)\b|\bprevious (?:figure|image)\b",
    "charts": r"\berror bars?\b|\bkaplan[- –]meier\b|\bp\s*[<=≤]\s*0?\.\d|\b(?:bar|line|box|scatter|forest|funnel) "
    r"?(?:plots?|charts?|graphs?)\b|\bflow ?charts?\b|\bx[- ]axis\b|\by[- ]axis\b|\broc curves?\b"
    r"|\bhistograms? (?:of|show)",
    "marks": r"\b(?:arrow(?:head)?s?|asterisks?|stars?|circles?|dotted|dashed)\b",
}
"""Kinds of words that speak of what the picture may not show, each a declared pattern, without regard to case."""
_MISLEADING = {kind: re.compile(pattern, re.IGNORECASE | re.DOTALL) for kind, pattern in MISLEADING.items()}


def keep_captions(table: pa.Table, rule: str, judge: Callable[[str], Fault | None], *, tasks: Collection[str]) -> Kept:
    """The rows (`operator.SAMPLES`) of another task than `tasks`, and those in whose answer `judge` finds no fault."""
    rows = zip(*(table[name].to_pylist() for name in ("id", "task", "answer")), strict=True)
    drops: list[dict[str, object] | None] = []
    for id, task, answer in rows:
        fault = judge(answer) if task in tasks else None
        drops.append(drop(id, rule, fault.reason, score=fault.score) if fault else None)
    return keep_where(table, drops)


def count_words(caption: str) -> int:
    """Runs of characters between spaces that hold a letter or a digit; in scripts without spaces, the letters."""
    spaced = sum(any(char.isalnum() for char in token) for token in _TOKEN.findall(caption))
    unspaced = sum(unicodedata.east_asian_width(char) == "W" and char.isalpha() for char in caption)
    return max(spaced, unspaced)


def digit_share(caption: str) -> float:
    """Digits among letters and digits; 0 where there is neither."""
    digits = sum(char.isdigit() for char in caption)
    letters = sum(char.isalpha() for char in caption)
    return digits / (digits + letters) if digits + letters else 0.0


def says_only_numbers(caption: str) -> bool:
    """Whether a caption holds nothing but numbers, units, the words "scale bar" and single letters or figure labels."""
    tokens = _TOKEN.findall(caption)
    plain = [re.sub(r"^[^\w%°]+|[^\w%°]+$", "", token).lower() for token in tokens]
    return bool(tokens) and all(
        not word or word in _UNITS or _NUMBER.fullmatch(token) or _LABEL.fullmatch(token) or _is_quantity(word)
        for token, word in zip(tokens, plain, strict=True)
    )


def guess_language(caption: str, *, min_hits: int) -> tuple[str, float]:
    """The language that a caption is written in, and the evidence: `en` unless there is some for another.

    Another script: `Han`, `Cyrillic` and so on, with the share of the letters outside Latin and Greek (Greek letters
    are symbols in English captions). Else the language of `FUNCTION_WORDS` with most hits, with their number, where it
    has at least `min_hits` and twice as many as English. Captions in telegram style have few such words
    and stay English.
    """
    letters = [char for char in caption if char.isalpha()]
    foreign = [script for char in letters if (script := _script(char)) not in ("LATIN", "GREEK")]
    if letters and len(foreign) > 0.3 * len(letters):
        return max(sorted(set(foreign)), key=foreign.count).capitalize(), len(foreign) / len(letters)
    words = [word.lower() for word in _WORD.findall(caption)]
    hits = {language: sum(word in known for word in words) for language, known in _WORDS_OF.items()}
    best = max(sorted(hits), key=lambda language: hits[language])
    if best != "en" and hits[best] >= max(min_hits, 2 * hits["en"]):
        return best, float(hits[best])
    return "en", float(hits["en"])


def misleading_words(caption: str, kinds: Collection[str]) -> tuple[str, str] | None:
    """The first of `kinds` (of `MISLEADING`) that a caption has, and the words that show it."""
    for kind in kinds:
        if found := _MISLEADING[kind].search(caption):
            return kind, " ".join(found[0].split())
    return None


def _is_quantity(word: str) -> bool:
    found = re.fullmatch(r"[+-]?\d[\d.,]*([^\d\s]+)", word)
    return bool(found) and str(found[1] if found else "") in _UNITS


def _script(char: str) -> str:
    name = unicodedata.name(char, "")
    first = name.partition(" ")[0]
    return "HAN" if first == "CJK" else "GREEK" if first == "MICRO" else "LATIN" if first in _LATIN else first


_LATIN = frozenset(("FULLWIDTH", "MODIFIER", "FEMININE", "MASCULINE", "SCRIPT", "SUPERSCRIPT", "MATHEMATICAL", ""))

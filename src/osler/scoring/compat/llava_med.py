"""LLaVA-Med's rules: closed answers by "yes" or "no" anywhere in the reply, open answers by the share of gold words.

Source: microsoft/LLaVA-Med (before v1.5), llava/eval/run_eval.py and llava/eval/eval_metrics. Both texts are made alike
first: lower case, punctuation to spaces or nothing, "a", "an" and "the" left out, number words to digits, apostrophes
put back. A closed answer is right where "yes" or "no" occurs and the gold words do; the share of gold words counts how
often the reply has them.

Variant `original`: before the correction b9a98a7 a wrong answer that held "yes" or "no" was left out of the mean, which
put the published closed accuracy up. Known defects, kept: "The heart is normal" is no, and "yes, no" is right for both.
Choices are not marked.
"""

import re
from collections import Counter

import numpy as np

from osler.schema.sample import Answer
from osler.scoring.parser import Parser, Verdict

_PUNCTUATION = ';/[]"{}()=+\\_->@<`,?!'
_THOUSANDS = re.compile(r"\d,\d")
_FULL_STOP = re.compile(r"\.(?!\d)")
_MAX_FULL_STOPS = 32
"""The source hands a flag over where the number of replacements belongs; the flag's value is 32."""
_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DIGITS = {"none": "0", **{word: str(number) for number, word in enumerate(_NUMBER_WORDS)}}
_ARTICLES = {"a", "an", "the"}
_CONTRACTED = re.compile(r"\S+").findall(
    "ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't "
    "he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am might've mightn't mightn't've "
    "must've mustn't needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't "
    "shouldn't've somebody'd've somebody'll somebody's someone'd someone'd've someone'll someone's "
    "something'd something'd've something'll that's there'd there'd've there're there's they'd they'd've "
    "they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's where'd "
    "where's where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't "
    "wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've"
)


def _without_one_apostrophe() -> dict[str, str]:
    """The misspelt forms that are put right: each contraction that lacks one of its apostrophes."""
    forms = {"somebody'd": "somebodyd"}
    for word in _CONTRACTED:
        for place in (place for place, mark in enumerate(word) if mark == "'"):
            forms[word[:place] + word[place + 1 :]] = word
    return forms


_APOSTROPHES = _without_one_apostrophe()


def judge(reply: str, answer: Answer, random: np.random.Generator) -> Verdict:
    """Closed answers by substring, open ones by recall."""
    said, gold = _alike(_alike(reply)), _alike(_alike(answer.text))
    if answer.kind == "open":
        return _judge_open(said, gold)
    held = [word for word in ("yes", "no") if word in said]
    return Verdict(" ".join(held) or None, float(bool(held) and gold in said))


def judge_original(reply: str, answer: Answer, random: np.random.Generator) -> Verdict:
    """As `judge`, but a closed answer that is read and wrong is left out."""
    verdict = judge(reply, answer, random)
    left_out = answer.kind == "closed" and verdict.parsed is not None and not verdict.score
    return verdict._replace(score=None) if left_out else verdict


def _judge_open(said: str, gold: str) -> Verdict:
    """The recall, with the reply's own counts of the gold words."""
    given, wanted = Counter(said.split()), Counter(gold.split())
    hits = sum(given[word] for word in wanted)
    missed = sum(count for word, count in wanted.items() if word not in given)
    return Verdict(said or None, hits / (hits + missed) if hits else 0.0)


def _alike(text: str) -> str:
    text = text.lower()
    thousands = _THOUSANDS.search(text) is not None
    changed = text
    for mark in _PUNCTUATION:
        beside_space = thousands or f"{mark} " in text or f" {mark}" in text
        changed = changed.replace(mark, "" if beside_space else " ")
    words = _FULL_STOP.sub("", changed, count=_MAX_FULL_STOPS).split()
    kept = [_DIGITS.get(word, word) for word in words if word not in _ARTICLES]
    return " ".join(_APOSTROPHES.get(word, word) for word in kept).replace(",", "")


_SOURCE = "microsoft/LLaVA-Med llava/eval/run_eval.py"
_MEASURES = {"closed": "accuracy", "open": "token_recall"}

PARSER = Parser(
    name="llava_med",
    rule="closed: yes/no and the gold as substrings; open: recall with the reply's counts",
    source=f"{_SOURCE} at b9a98a7",
    measures=_MEASURES,
    judge=judge,
    variants={
        "original": Parser(
            name="llava_med/original",
            rule="as llava_med; closed: wrong answers that hold yes or no left out",
            source=f"{_SOURCE} before b9a98a7",
            measures=_MEASURES,
            judge=judge_original,
        )
    },
)

"""Phantom findings: the findings that a text about a drawn film affirms are those that the true text affirms, as F1.

The words are the generator's own, so the rule is exact there and for nothing else. A clause denies the findings it
names where it holds no, not, without, absent, free of or ruled out; a finding both affirmed and denied is wrong twice.
"""

import re

from osler.schema.sample import Answer
from osler.scoring.scorer import Metric

_NAMES = {
    "nodule": r"nodules?|round spots?",
    "effusion": r"effusions?|pleural fluid",
    "pneumothorax": r"pneumothorax|collapsed lung|pleural air",
    "consolidation": r"consolidations?|infiltrates?|airspace opacity",
    "cardiomegaly": r"cardiomegaly|(?:enlarged|large) heart",
    "device": r"devices?|pacemaker|breathing tube|endotracheal tube|central (?:venous )?line|implant",
}
_FINDINGS = {kind: re.compile(rf"\b(?:{names})\b") for kind, names in _NAMES.items()}
_CLAUSE = re.compile(r"[,;:.\n]+(?!\d)|\band\b")
_DENIES = re.compile(r"\b(?:no|not|without|absent|free of|ruled out)\b")


def claims(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The findings that a text affirms and those it denies."""
    affirmed: set[str] = set()
    denied: set[str] = set()
    for clause in _CLAUSE.split(text.casefold()):
        named = {kind for kind, words in _FINDINGS.items() if words.search(clause)}
        (denied if _DENIES.search(clause) else affirmed).update(named)
    return frozenset(affirmed), frozenset(denied)


def score(parsed: str | None, answer: Answer) -> float | None:
    """F1 of affirmed findings; where nothing is true, 1 for a text that denies and affirms nothing.

    None for another kind of answer and where the true text names no finding.
    """
    if answer.kind != "text":
        return None
    true, untrue = claims(answer.text)
    if not true and not untrue:
        return None
    affirmed, denied = claims(parsed or "")
    if not true:
        return float(bool(denied) and not affirmed)
    right = len((affirmed & true) - denied)
    return 2 * right / (len(affirmed | (denied & true)) + len(true)) if right else 0.0


METRIC = Metric(
    name="phantom_findings",
    signature="phantom_findings|findings:6|clause-negation|f1|unparsed:0|v:1",
    range=(0.0, 1.0),
    paper="this project: the words of osler synth, docs/explanation/phantom.md",
    kinds=("text",),
    score=score,
)

"""How things are said: several wordings of each question, several names of each finding, a small vocabulary."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from osler.synth.phantom.truth import Finding, Study

T = TypeVar("T")


class Name(NamedTuple):
    """A finding's name, as it follows `there is` and as it follows `the`."""

    article: str
    bare: str


NAMES: dict[str, tuple[Name, ...]] = {
    "nodule": (Name("a nodule", "nodule"), Name("a lung nodule", "lung nodule"), Name("a round spot", "round spot")),
    "effusion": (
        Name("an effusion", "effusion"),
        Name("a pleural effusion", "pleural effusion"),
        Name("pleural fluid", "pleural fluid"),
    ),
    "pneumothorax": (
        Name("a pneumothorax", "pneumothorax"),
        Name("a collapsed lung", "collapsed lung"),
        Name("pleural air", "pleural air"),
    ),
    "consolidation": (
        Name("a consolidation", "consolidation"),
        Name("an infiltrate", "infiltrate"),
        Name("an airspace opacity", "airspace opacity"),
    ),
    "cardiomegaly": (
        Name("cardiomegaly", "cardiomegaly"),
        Name("an enlarged heart", "enlarged heart"),
        Name("a large heart", "large heart"),
    ),
    "device": (
        Name("a device", "device"),
        Name("a medical device", "medical device"),
        Name("an implant or line", "implant or line"),
    ),
}
DEVICE_WORDS = {
    "pacemaker": ("pacemaker", ("a pacemaker", "cardiac pacemaker")),
    "breathing tube": ("breathing tube", ("tube", "endotracheal tube")),
    "central line": ("central line", ("line", "central venous line")),
}
# How often the first of several names or wordings is used: people vary their words, but not evenly.
USUAL_SHARE = 0.8
COUNT_WORDS = ("no", "one", "two", "three", "four")

AFFIRMATIVE = (
    "Is there {article}?",
    "Does the film show {article}?",
    "Can {article} be seen?",
    "Is {article} present? Answer yes or no.",
)
NEGATED = (
    "Is the film free of {bare}?",
    "Can {article} be ruled out?",
    "Is {article} absent? Answer yes or no.",
)
SIDE = (
    "On which side {be} the {bare}?",
    "{Be} the {bare} on the left or the right?",
    "Which side shows the {bare}?",
    "Left or right: where {be} the {bare}?",
)
COUNT = (
    "How many nodules are there?",
    "How many nodules does the film show?",
    "Count the nodules.",
    "Give the number of nodules, 0 to 4.",
)
CHOICE = ("Which finding is present?", "Which of these is on the film?", "What does the film show?")
CHOICE_PLACE = ("Where is the {bare}?", "In which zone is the {bare}?")
MEASURE = (
    "What is the cardiothoracic ratio?",
    "Measure the cardiothoracic ratio.",
    "How wide is the heart against the chest, as a ratio?",
)
PLACE = ("Where is the {bare}?", "Which zone shows the {bare}?", "Name side and zone of the {bare}.")
DEVICE = ("What device is seen?", "Which device does the film show?", "Name the device.")
GRADE = ("How large is the {bare}?", "Is the {bare} small, moderate or large?", "Grade the {bare}.")
CHANGE = (
    "Compared with the prior film, is the {bare} larger, smaller or unchanged?",
    "Has the {bare} become larger, smaller or is it unchanged?",
)
COURSE = (
    "Compared with the prior film, is the {bare} new, resolved or unchanged?",
    "Is the {bare} new, resolved or unchanged?",
)
CHECKLIST = ("Fill in the checklist.", "Go through the checklist.", "Which findings are present, which are not?")
CAPTION = ("Describe the film in one sentence.", "Give a caption.", "What is on this film?")
REPORT = ("Write the report.", "Report this chest film.", "Give findings and impression.")
REASON = ("Explain, then answer.", "Think first.", "Give reasons.")


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of `options`, each equally likely."""
    return options[int(rng.integers(len(options)))]


def pick_usual(rng: np.random.Generator, options: Sequence[T]) -> T:
    """The first of `options` more often than the others, which are equally likely among themselves."""
    return options[0] if rng.random() < USUAL_SHARE else pick(rng, options[1:])


def any_name(rng: np.random.Generator, kind: str) -> Name:
    """The usual name of a finding, or less often one of its other names."""
    return pick_usual(rng, NAMES[kind])


def name_of(rng: np.random.Generator, study: Study, kind: str) -> Name:
    """A name for what the film shows: its device by its own name, several nodules in the plural."""
    if kind == "device":
        words = study.of(kind)[0].grade
        return Name(f"a {words}", words)
    if kind == "nodule" and study.num_nodules > 1:
        return Name("nodules", "nodules")
    return any_name(rng, kind)


def phrase(finding: Finding) -> str:
    """One finding in a few words, without an article: `small left effusion`."""
    if finding.kind == "device":
        return f"{finding.side} {finding.grade}".strip()
    if finding.kind == "cardiomegaly":
        return "enlarged heart"
    if finding.kind == "consolidation":
        return f"{finding.grade} {place(finding)} consolidation"
    return f"{finding.grade} {finding.side} {finding.kind}"


def nodules_phrase(study: Study) -> str:
    """All nodules in a few words: `three left nodules`, `one left upper zone nodule`."""
    nodules = study.of("nodule")
    if len(nodules) == 1:
        return f"one {place(nodules[0])} nodule"
    return f"{COUNT_WORDS[len(nodules)]} {study.side('nodule')} nodules".replace("  ", " ")


def place(finding: Finding) -> str:
    """Side and zone: `left upper zone`."""
    return f"{finding.side} {finding.zone} zone"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))


def with_article(words: str) -> str:
    """`words` after `a` or `an`; words that begin with a number or end in a plural stay as they are."""
    if words.split()[0] in COUNT_WORDS:
        return words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def capitalised(words: str) -> str:
    """`words` as a sentence begins."""
    return words[0].upper() + words[1:]

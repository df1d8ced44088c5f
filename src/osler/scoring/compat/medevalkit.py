r"""MedEvalKit's rules: the words before the first full stop and after the last colon, else the most similar option.

Source: alibaba-damo-academy/MedEvalKit, utils/utils.py and utils/VQA_RAD/VQA_RAD.py. All is lower-cased; `\boxed{}` or
`<answer>` and then anything up to "answer is", "answer:" and the like is cut off. A choice is a letter or an option's
exact words; where it is neither, the option most like the reply (difflib) is taken, the first of equals. Yes and no are
substrings: one of the two must occur, and it must be the gold one. All other answers are compared whole.

Variant `slake`: closed gold answers are written "Yes" and "No" there, which escapes the yes-no rule: they are compared
whole, spaces included. Known defects, kept: an empty answer is option A; "answer is not A. It is B." is A;
"Option B" may be any option; "The heart is normal" is no; "yes, it is a nodule" is neither. Departure: an empty open
answer stops the run there and is wrong here.
"""

from difflib import SequenceMatcher

import numpy as np

from osler.schema.sample import LETTERS, Answer
from osler.scoring.parser import Parser, Verdict

_LEADS = (
    "**answer**:",
    "**answer**",
    "*answer*:",
    "**answer:**",
    "answer is",
    "answer:",
    "\u7b54\u6848:",
    "final answer",
    "final answer is",
)
_NO_BOX = "None"


def judge(reply: str, answer: Answer, random: np.random.Generator) -> Verdict:
    """Choices by letter, words or likeness; yes and no by substring; the rest whole."""
    if answer.kind == "choice":
        return _judge_choice(reply, answer)
    text = _after_lead(_unwrapped(_freed(reply).lower().strip()))
    if answer.text.lower() in {"yes", "no"}:
        return _judge_yes_no(_bare(text), answer.text.lower())
    return _judge_whole(text, answer)


def judge_slake(reply: str, answer: Answer, random: np.random.Generator) -> Verdict:
    """As `judge`, but closed answers whole and with the spaces around them."""
    if answer.kind == "closed":
        return _judge_whole(_bare(_after_lead(_unwrapped(_freed(reply).lower()))), answer)
    return judge(reply, answer, random)


def _judge_whole(text: str, answer: Answer) -> Verdict:
    return Verdict(text or None, float(text == answer.text.lower()))


def _judge_yes_no(text: str, gold: str) -> Verdict:
    held = [word for word in ("yes", "no") if word in text]
    return Verdict(held[0], float(held == [gold])) if len(held) == 1 else Verdict(None, 0.0)


def _judge_choice(reply: str, answer: Answer) -> Verdict:
    letters = LETTERS[: len(answer.options)].lower()
    options = [option.lower() for option in answer.options]
    text = _after_lead(_unwrapped(_letter_alone(reply.lower(), letters))).lower().strip().replace("\n", "")
    said = text.split(".")[0].split(":")[-1]
    letter = said if len(said) == 1 and said in letters else letters[options.index(said)] if said in options else None
    if letter is not None:
        return Verdict(letter.upper(), float(letter.upper() == answer.letter))
    likeness = [SequenceMatcher(None, option, text).ratio() for option in options]
    nearest = letters[likeness.index(max(likeness))].upper()
    return Verdict(nearest, float(nearest == answer.letter), guessed=True)


def _letter_alone(text: str, letters: str) -> str:
    """The first paragraph where it is a letter, or the last one's first sentence where that is one."""
    paragraphs = text.split("\n\n")
    for part in (paragraphs[0], paragraphs[-1].split(".")[0]):
        if len(part) == 1 and part in letters:
            return part
    return text


def _freed(reply: str) -> str:
    """What the last box holds if it closes, else what the tags hold; done before anything else, choices excepted."""
    content = _boxed(reply)
    return _tagged(reply) if content == _NO_BOX else content


def _unwrapped(text: str) -> str:
    """What the last box holds, or the tags; where the word "boxed" occurs and no box closes, the word None."""
    return _boxed(text) if "boxed" in text else _tagged(text)


def _tagged(text: str) -> str:
    held, place = [], text.find("<answer>")
    while place >= 0 and (end := text.find("</answer>", place)) >= 0:
        held.append(text[place + len("<answer>") : end])
        place = text.find("<answer>", end)
    return " ".join(held).strip() or text


def _boxed(text: str) -> str:
    depth, content = 0, text.rpartition("\\boxed{")
    for place, mark in enumerate(content[2] if content[1] else ""):
        depth += (mark == "{") - (mark == "}")
        if depth < 0:
            return content[2][:place].strip()
    return _NO_BOX


def _after_lead(text: str) -> str:
    for lead in _LEADS:
        text = text.split(lead)[-1]
    return text


def _bare(text: str) -> str:
    return text.replace("\n", "").replace(".", "")


_SOURCE = "alibaba-damo-academy/MedEvalKit utils/utils.py"
_MEASURES = {"choice": "accuracy", "closed": "accuracy", "open": "accuracy"}

PARSER = Parser(
    name="medevalkit",
    rule="choice: letter or words, else difflib nearest option; yes/no: substring; other: whole",
    source=_SOURCE,
    measures=_MEASURES,
    judge=judge,
    variants={
        "slake": Parser(
            name="medevalkit/slake",
            rule="as medevalkit; closed: whole, spaces kept",
            source=f"{_SOURCE}, utils/SLAKE/SLAKE.py",
            measures=_MEASURES,
            judge=judge_slake,
        )
    },
)

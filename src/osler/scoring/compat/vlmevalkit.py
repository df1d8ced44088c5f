"""VLMEvalKit's rule for choices: one lone letter near the end, else "answer is X", else one option's words.

Source: open-compass/VLMEvalKit, vlmeval/utils/matching_util.py. Punctuation becomes spaces; if exactly one option's
letter is a word of the reply, and first stands among its last four words, it is the answer. Else a letter A to D after
"answer is". Else the only option whose words occur in a reply that is at most twice as long as all options together.
Set refusals are wrong at once. What is left goes to a language model there; here it is wrong, as it is there under
`exact_matching`.

Variant `judge_failed`: what is left is drawn among the letters and "none of them", as there after the judge has failed
three times. Known defects, kept: "Not C" is C, "It is not pneumonia" is the option Pneumonia, "a patient has B lines"
is B, and "The correct answer is **E** because of the fluid around it" is not read.
"""

import re

import numpy as np

from osler.schema.sample import LETTERS, Answer
from osler.scoring.parser import Parser, Verdict

_TO_SPACE = str.maketrans({mark: " " for mark in ".()[],:;!*#{}"})
_ANSWER_IS = re.compile(r"answer\s+is\s+\**([A-D])\**", re.IGNORECASE)
_REFUSALS = (
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    "Cannot determine the answer",
)
_LAST_WORDS = 4
_NONE_OF_THEM = "Z"


def judge(reply: str, answer: Answer, random: np.random.Generator) -> Verdict:
    """The letter read, or nothing."""
    letter = _read(reply, answer.options)
    return Verdict(None if letter == _NONE_OF_THEM else letter, float(letter == answer.letter))


def judge_or_draw(reply: str, answer: Answer, random: np.random.Generator) -> Verdict:
    """The letter read, or one drawn among the letters and "none of them"."""
    if _read(reply, answer.options) is not None:
        return judge(reply, answer, random)
    drawn = (LETTERS[: len(answer.options)] + _NONE_OF_THEM)[int(random.integers(len(answer.options) + 1))]
    parsed = None if drawn == _NONE_OF_THEM else drawn
    return Verdict(parsed, float(drawn == answer.letter), guessed=True, expected=1 / (len(answer.options) + 1))


def _read(reply: str, options: tuple[str, ...]) -> str | None:
    """A letter, Z for none of them, or None where the rule finds nothing."""
    if any(refusal in reply for refusal in _REFUSALS):
        return _NONE_OF_THEM
    letters = LETTERS[: len(options)]
    words = reply.translate(_TO_SPACE).split()
    present = set(words)
    named = [letter for letter in letters if letter in present]
    if len(named) == 1 and words.index(named[0]) >= len(words) - _LAST_WORDS:
        return named[0]
    if not named and _NONE_OF_THEM in present:
        return _NONE_OF_THEM
    declared = _ANSWER_IS.search(reply)
    if declared and declared.group(1).upper() in letters:
        return declared.group(1).upper()
    lowered = reply.lower()
    if len(lowered) > 2 * sum(len(option) for option in options):
        return None
    held = [letter for letter, option in zip(letters, options, strict=True) if option.lower() in lowered]
    return held[0] if len(held) == 1 else None


_RULE = "lone letter in the last words, else 'answer is A-D', else the only option's words"
_SOURCE = "open-compass/VLMEvalKit vlmeval/utils/matching_util.py"

PARSER = Parser(
    name="vlmevalkit",
    rule=f"{_RULE}; no judge (exact_matching)",
    source=_SOURCE,
    measures={"choice": "accuracy"},
    judge=judge,
    variants={
        "judge_failed": Parser(
            name="vlmevalkit/judge_failed",
            rule=f"{_RULE}, else random with none-of-them",
            source=_SOURCE,
            measures={"choice": "accuracy"},
            judge=judge_or_draw,
        )
    },
)

r"""A written answer taken apart: the reasoning before it, and the final words.

Three ways of marking are in use: `<think>...</think>` (and `<answer>...</answer>` around the rest), the headings
`## Thinking` and `## Final Response`, and `\boxed{...}` around the last words.
"""

import re

from osler.datasets.dataset import Skip

_OPEN, _CLOSE = "<think>", "</think>"
_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|$)", re.DOTALL)
_HEADING = re.compile(r"^#{1,4}[ \t]*(?:the[ \t]+)?final[ \t]+(?:response|answer)[ \t]*:?[ \t]*$", re.I | re.M)
_THINKING = re.compile(r"\A\s*#{1,4}[ \t]*(?:thinking|reasoning)[ \t]*:?[ \t]*$", re.I | re.M)
_BOX = "\\boxed{"
_WORDS = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\{([^{}]*)\}")


def split_trace(text: str) -> tuple[str, str] | Skip:
    """The reasoning and the final words of `text`, both stripped; a text without marks is all final words.

    Reasoning that was begun and never ended was cut off, so the text has no answer: a `Skip`. A `</think>` alone ends
    reasoning that begins with the text, as in replies whose opening mark stood in the prompt. A second pair of marks
    in the rest is refused, as nobody can tell which words are final.
    """
    marks = _marks(text)
    kinds = [kind for _, kind in marks]
    if kinds in ([_OPEN, _CLOSE], [_CLOSE]):
        start, end = marks[0][0] if len(marks) == 2 else 0, marks[-1][0]
        reasoning = _stripped(text, start + (len(_OPEN) if len(marks) == 2 else 0), end)
        before, final = text[:start].strip(), text[end + len(_CLOSE) :]
        final = f"{before}\n{final.strip()}" if before else final
    elif kinds == [_OPEN]:
        return Skip("reasoning is not closed: <think> without </think>")
    elif kinds:
        return Skip("reasoning is marked twice: more than one <think>")
    elif heading := _HEADING.search(text) if "#" in text else None:
        reasoning, final = _THINKING.sub("", text[: heading.start()]).strip(), text[heading.end() :]
    elif "#" in text and _THINKING.match(text):
        return Skip("reasoning is not closed: no heading of the final response")
    else:
        reasoning, final = "", text
    final = unboxed(_unwrapped(final)).strip()
    return (reasoning, final) if final else Skip("no final words: nothing after the reasoning")


def unboxed(text: str) -> str:
    r"""`text` with each `\boxed{...}` replaced by what it holds; `$` right around a box goes too."""
    start = text.find(_BOX) if "\\" in text else -1
    while start >= 0:
        end = _end_of_box(text, start + len(_BOX))
        if end < 0:
            return text
        words = _WORDS.sub(r"\1", text[start + len(_BOX) : end])
        before, after = text[:start], text[end + 1 :]
        while before.endswith("$") and after.startswith("$"):
            before, after = before[:-1], after[1:]
        text = f"{before}{words}{after}"
        start = text.find(_BOX, len(before))
    return text


def _marks(text: str) -> list[tuple[int, str]]:
    """Where the text has `<think>` and `</think>`, in one pass: one character is found far faster than a word."""
    found = []
    at = text.find("<")
    while at >= 0:
        kind = next((mark for mark in (_OPEN, _CLOSE) if text.startswith(mark, at)), "")
        if kind:
            found.append((at, kind))
        at = text.find("<", at + 1)
    return found


def _stripped(text: str, start: int, end: int) -> str:
    """`text[start:end]` without the blanks around it, copied once: reasoning is long."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return text[start:end]


def _unwrapped(text: str) -> str:
    found = _ANSWER.search(text) if "<answer>" in text else None
    return found.group(1) if found else text


def _end_of_box(text: str, at: int) -> int:
    """Where the bracket closes that was open before `at`; -1 where it does not."""
    depth = 1
    for mark in re.finditer(r"[{}]", text[at:]):
        depth += 1 if mark.group() == "{" else -1
        if depth == 0:
            return at + mark.start()
    return -1

"""Articles, a store of their figures and a scripted model for tests of the builder of reasoning sets.

The model answers from rules and knows no figure: what it needs it takes from the question it is asked. Each figure's
caption and each stem it writes hold the figure's mark (`kase-07`), by which a test plants a bad answer at one step.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from chat_server import Answer, Fault
from osler.core.files import sha256_bytes
from osler.core.log import Log
from osler.core.rng import generator
from osler.curate import run as curate
from osler.media.image import encode_png8
from osler.schema.sample import LETTERS
from osler.synth.reasoning.prompts import NAMES, read_prompt

MARK = re.compile(r"kase-[a-z0-9]+")
CATEGORY = "findings"
_STEP_OF = {read_prompt(name).text: name for name in NAMES}
_LICENCE = (
    '<permissions><license license-type="open-access" '
    'xlink:href="https://creativecommons.org/licenses/by/4.0/"><license-p>CC BY 4.0</license-p></license></permissions>'
)
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "xo", "zu")


def words(count: int, *names: str | int) -> str:
    """So many made words, the same for the same names."""
    rng = generator(5, "words", *names)
    return " ".join("".join(_SYLLABLES[n] for n in rng.integers(len(_SYLLABLES), size=3)) for _ in range(count))


def draw_articles(root: Path, *, num_articles: int, num_figures: int, licensed: Callable[[int], bool]) -> None:
    """`num_articles` in JATS XML, each with `num_figures` figures, their pictures beside the file."""
    for article in range(num_articles):
        folder = root / f"PMC{article}"
        folder.mkdir(parents=True)
        figures, paragraphs = [], []
        for number in range(num_figures):
            mark = f"kase-{article * num_figures + number:02d}"
            pixels = generator(3, mark).integers(0, 255, (48, 64)).astype(np.uint8)
            (folder / f"f{number}.png").write_bytes(encode_png8(pixels))
            figures.append(
                f'<fig id="f{number}"><label>Figure {number}</label><caption><title>Film of {mark}.</title>'
                f'<p>It shows {words(20, "caption", mark)}.</p></caption><graphic xlink:href="f{number}.png"/></fig>'
            )
            paragraphs.append(
                f'<p>In <xref ref-type="fig" rid="f{number}">Figure {number}</xref> the reason is '
                f"{words(20, 'reason', mark)}.</p>"
            )
        (folder / "main.nxml").write_text(
            '<article xmlns:xlink="http://www.w3.org/1999/xlink" article-type="case-report"><front><article-meta>'
            f'<article-id pub-id-type="pmc">{article}</article-id>'
            f"{_LICENCE if licensed(article) else ''}</article-meta></front><body><sec><title>Case</title>"
            f"{''.join(paragraphs)}{''.join(figures)}</sec></body></article>"
        )


def curated(root: Path, out: Path, **recipe: Any) -> Path:
    """A store of the figures below `root`."""
    dataset = {"name": "jats_articles", "root": str(root), "agreement": {"research": "made for this test"}}
    config = curate.parse({"datasets": [dataset], "operators": ["drop_missing_image"], **recipe})
    out.mkdir(parents=True, exist_ok=True)
    curate.run(config, out, device="cpu", log=Log(quiet=True))
    return out


class ScriptedModel:
    """Answers every step well but where a test planted something: `planted[mark, step]` makes another of the answer.

    A planted function gets the good answer and the number of the try, and gives an answer, words, or a fault.
    """

    def __init__(self, planted: dict[tuple[str, str], Callable[[dict[str, Any], int], Any]] | None = None) -> None:
        self.planted = planted or {}
        self.tries: dict[tuple[str, str], int] = {}
        self.asked: list[tuple[str, str]] = []

    def __call__(self, body: dict[str, Any]) -> Answer:
        step = _STEP_OF[body["messages"][0]["content"]]
        text = _text(body["messages"][1])
        mark = mark_of(text)
        good = getattr(self, f"_{step}")(text, mark)
        self.asked.append((mark, step))
        plant = self.planted.get((mark, step))
        if plant is None:
            return json.dumps(good)
        number = self.tries[mark, step] = self.tries.get((mark, step), -1) + 1
        given = plant(good, number)
        return given if isinstance(given, (str, Fault)) else json.dumps(given)

    def _screen(self, text: str, mark: str) -> dict[str, Any]:
        return {"relevant": True, "matches": True, "informative": True, "reason": "a film"}

    def _assign(self, text: str, mark: str) -> dict[str, Any]:
        return {"categories": [{"category": CATEGORY, "what": _what(text), "why": _why(text)}]}

    def _write(self, text: str, mark: str) -> dict[str, Any]:
        options = options_of(mark)
        return {"stem": f"The patient {mark} {words(25, 'stem', mark)}?", "options": options, "answer": options[0]}

    def _support(self, text: str, mark: str) -> dict[str, Any]:
        return {"supported": True, "quote": _what(text).upper(), "reason": "it says so"}

    def _leakage(self, text: str, mark: str) -> dict[str, Any]:
        return {"leaks": False, "reason": "nothing"}

    def _blind(self, text: str, mark: str) -> dict[str, Any]:
        return {"answer": "A", "reason": "a guess"}

    def _solve(self, text: str, mark: str) -> dict[str, Any]:
        return {"answer": right_letter(text, mark), "reason": "seen"}

    def _draft(self, text: str, mark: str) -> dict[str, Any]:
        return {"draft": f"For {mark} one sees {words(20, 'draft', mark)}."}

    def _trace(self, text: str, mark: str) -> dict[str, Any]:
        return {
            "visual_evidence": f"The picture of {mark} shows {words(18, 'seen', mark)}. There is more to see.",
            "clinical_interpretation": f"This means {words(18, 'means', mark)}.",
            "conclusion": f"So it is {options_of(mark)[0]} and nothing else.",
        }

    def _consistency(self, text: str, mark: str) -> dict[str, Any]:
        numbers = [int(n) for n in re.findall(r"^(\d+)\. ", text.partition("<sentences>")[2], re.MULTILINE)]
        rest = [{"number": n, "basis": "image", "quote": ""} for n in numbers[1:]]
        return {"sentences": [{"number": 1, "basis": "source", "quote": _why(text)}, *rest]}

    def _justification(self, text: str, mark: str) -> dict[str, Any]:
        return {"justified": True, "reason": "step by step"}

    def _utility(self, text: str, mark: str) -> dict[str, Any]:
        return {"useful": True, "reason": "it says where to look"}

    def _rubric(self, text: str, mark: str) -> dict[str, Any]:
        parts = text.partition("<reasoning>\n")[2].partition("\n</reasoning>")[0].split("\n\n")
        axes = ("perception", "knowledge", "rationale")
        return {axis: [_unit(axis, part, mark)] for axis, part in zip(axes, parts, strict=True)}


def mark_of(text: str) -> str:
    """The mark in a text; for the source of a figure that has none, one of its own."""
    found = MARK.search(text)
    return found[0] if found else f"kase-{sha256_bytes(_blocks(text)[0].encode())[:8]}"


def options_of(mark: str) -> list[str]:
    """The options of the question about a figure; the first is right."""
    return [words(3, "option", mark, n) for n in range(4)]


def right_letter(text: str, mark: str) -> str:
    """The letter after which a question shows the right option."""
    return next(letter for letter in LETTERS if f"\n{letter}. {options_of(mark)[0]}\n" in text)


def _unit(axis: str, part: str, mark: str) -> dict[str, str]:
    return {
        "topic": "a topic",
        "claim": words(8, "claim", axis, mark),
        "quote": " ".join(part.split()[:5]),
        "importance": "core",
        "presence_question": "Does it speak of this?",
        "correctness_question": "Does it agree?",
    }


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def _blocks(text: str) -> list[str]:
    return text.partition("<source>\n")[2].partition("\n</source>")[0].split("\n\n")


def _what(text: str) -> str:
    return " ".join(_blocks(text)[0].split()[1:9])


def _why(text: str) -> str:
    return " ".join(_blocks(text)[-1].split()[2:10])

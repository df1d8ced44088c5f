r"""OpenMedReason: exam-style questions about figures of open-access articles, with a reasoning trace to the answer.

Row:  {"image": {"bytes": ...}, "question": "Which ...?\nA. ...\nB. ...", "answer": "B",
       "reasoning": "<think>The image shows ...</think><answer>B</answer>"}
Test: the same, and `perception`, `knowledge`, `rationale`: lists of what a good trace says, with a question for each.
Sets that `osler synth` makes have this layout, too, and name the article, the licence and the category of each row.
"""

import json
import re
from typing import Any, Literal

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import parquet
from osler.datasets.wording import ask_choice
from osler.schema.sample import LETTERS, Provenance, RubricUnit, Sample, choice, image, user

_OPTION = re.compile(r"^[ \t]*([A-J])[.):][ \t]+", re.MULTILINE)
_THOUGHT = re.compile(r"<think>(.*?)</think>", re.DOTALL)
_SAID = re.compile(r"<answer>\s*\(?([A-J])\b", re.DOTALL)
_Axis = Literal["perception", "knowledge", "rationale"]
_AXES: tuple[_Axis, ...] = ("perception", "knowledge", "rationale")


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question with its options; the trace is the reasoning, without the marks around it."""
    stem, options = split_options(row["question"])
    letter = str(row["answer"]).strip().strip("().").upper()[:1]
    thought, said = _THOUGHT.search(row["reasoning"] or ""), _SAID.search(row["reasoning"] or "")
    if not row["image"]:
        return Skip("no image")
    if len(options) < 2 or not letter or letter not in LETTERS[: len(options)]:
        return Skip(f"the answer is not one of the options: {row['answer']!r} of {len(options)}")
    if thought is None or not thought[1].strip():
        return Skip("no reasoning trace")
    if said is not None and said[1] != letter:
        return Skip(f"the trace ends in another answer: {said[1]}, not {letter}")
    return Sample(
        turns=(user(image(row["image"]), ask_choice(stem, options)),),
        answer=choice(options[LETTERS.index(letter)], options),
        reasoning=thought[1].strip(),
        task="choice_qa",
        rubric=tuple(unit for axis in _AXES for unit in units_of(axis, row.get(axis))),
        group=f"open_med_reason/{row['article']}" if row.get("article") else "",
        tags=_tags(row),
        provenance=_provenance(row),
    )


def _tags(row: Row) -> tuple[str, ...]:
    tags = ("rubric",) if any(row.get(axis) for axis in _AXES) else ()
    return (*tags, *(f"{name}:{row[name]}" for name in ("family", "category") if row.get(name)))


def _provenance(row: Row) -> Provenance | None:
    """The row's own terms; None where the set's hold."""
    if not row.get("licence"):
        return None
    return Provenance(
        dataset="open_med_reason",
        record_id=row["id"],
        licence=row["licence"],
        access=row["access"],
        source_url=row["source_url"],
    )


def units_of(axis: _Axis, value: Any) -> list[RubricUnit]:
    """The units of one axis, from a list of them or its JSON text."""
    units = json.loads(value) if isinstance(value, str) and value.strip() else value
    return [
        RubricUnit(
            axis=axis,
            id=str(unit["unit_id"]),
            claim=unit["claim"],
            topic=unit.get("topic") or "",
            importance=str(unit.get("importance") or ""),
            presence_question=unit.get("presence_question") or "",
            correctness_question=unit.get("correctness_question") or "",
            source_quote=unit.get("source_quote") or "",
        )
        for unit in units or ()
    ]


def split_options(text: str) -> tuple[str, tuple[str, ...]]:
    """The question and its options, of which the last run of lines `A. ...`, `B. ...` is made; () without one.

    Unlike `options.below`, the last A begins them, since captions quoted in a question have letters of panels.
    """
    marks = list(_OPTION.finditer(text))
    starts = [number for number, mark in enumerate(marks) if mark[1] == "A"]
    run = marks[starts[-1] :] if starts else []
    if not run or "".join(mark[1] for mark in run) != LETTERS[: len(run)]:
        return text.strip(), ()
    ends = [*(mark.start() for mark in run[1:]), len(text)]
    options = tuple(text[mark.end() : end].strip() for mark, end in zip(run, ends, strict=True))
    return text[: run[0].start()].strip(), options


DATASET = Dataset(
    licence="CC-BY-4.0",
    access="open",
    modality="mixed",
    group_key="",
    group_unit="question",
    splits={"train": 150246, "test": 1150},
    rows=parquet("data/{split}-*.parquet", fields=("question", "reasoning", "answer"), images=("image",)),
    to_sample=to_sample,
    hub_id="neginb/OpenMedReason",
    stages=("instruct", "evaluate"),
    known_from="card",
    contiguous=True,
    citation="Baghbanzadeh et al. OpenMedReason: scientific reasoning supervision for medical vision-language models. "
    "arXiv:2606.12169",
    source_url="https://huggingface.co/datasets/I4Health/OpenMedReason",
    layout="data/train-*.parquet and data/test-*.parquet",
    notes="The hub asks to accept its conditions first. The rows do not name their article, so figures of one article "
    "may be in both splits. Test questions whose trace is scored by units (perception, knowledge, rationale) have the "
    "tag rubric. Options are in published order.",
)

"""GMAI-Reasoning10K: choice questions on images of 95 public sets, with or without a reasoning trace.

Row: {"image": "2d/cls/ct/a.png", "conversations": [{"from": "human", "value": "<image> ..."}, {"from": "gpt",
      "value": "A"}]}, with the options below the question, one a line: A. ...
Or:  {"image": embedded, "question": "...", "options": ["A. ...", ...], "reasoning": "...", "answer": "A"}
"""

import re
from collections.abc import Iterator
from pathlib import Path

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.options import below, choose, listed
from osler.datasets.pictures import at_marks, by_content
from osler.datasets.read import FirstOf, jsonl, parquet
from osler.datasets.wording import ask_choice
from osler.schema.sample import Sample, user

_TRACE = re.compile(r"\s*<think>(.*?)</think>\s*(.*)", re.DOTALL)
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)


def to_sample(row: Row) -> Sample | Skip:
    """Ask the row's question with its options; the trace is kept apart from the answer."""
    if not row["image"]:
        return Skip("the image is empty")
    if not row["options"]:
        return Skip("the options cannot be read")
    answer = choose(row["options"], row["answer"])
    if isinstance(answer, Skip):
        return answer
    parts = at_marks(ask_choice(row["question"], answer.options), {1: row["image"]})
    if parts is None:
        return Skip("the question has a mark without an image")
    return Sample(turns=(user(*parts),), answer=answer, reasoning=row["reasoning"].strip(), task="choice_qa")


def from_conversations(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The last words of each side; the options are lines of the question."""
    for row in rows:
        said = {turn["from"]: turn["value"] for turn in row["conversations"]}
        question, options = below(said.get("human", ""))
        trace, answer = _taken_apart(said.get("gpt", ""))
        yield {"image": row["image"], "question": question, "options": options, "reasoning": trace, "answer": answer}


def from_columns(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Options are a list, or a list written as words."""
    for row in by_content(root, split, rows):
        options = row["options"]
        trace, answer = _taken_apart(str(row["answer"] or ""))
        reasoning = str(row["reasoning"] or "") or trace
        options = (listed(options) or below(options)[1]) if isinstance(options, str) else tuple(map(str, options or ()))
        yield {**row, "options": options, "reasoning": _taken_apart(reasoning)[0] or reasoning, "answer": answer}


def _taken_apart(said: str) -> tuple[str, str]:
    """Trace and answer of `<think>...</think><answer>B</answer>`; words without these marks are an answer."""
    trace = _TRACE.fullmatch(said)
    rest = trace[2] if trace else said
    answer = _ANSWER.search(rest)
    return (trace[1].strip() if trace else ""), (answer[1] if answer else rest).strip()


DATASET = Dataset(
    licence="NOASSERTION",
    access="open",
    modality="mixed",
    group_key="image",
    group_unit="image",
    splits={"train": 9965},
    rows=FirstOf(
        (
            jsonl({"train": "*.jsonl"}, fields=("image", "conversations"), change=from_conversations),
            parquet(
                {"train": "data/*.parquet"},
                fields=("image", "question", "options", "reasoning", "answer"),
                images=("image",),
                change=from_columns,
            ),
        )
    ),
    to_sample=to_sample,
    stages=("instruct",),
    known_from="code",
    hub_id="General-Medical-AI/GMAI-Reasoning10K",
    citation="Su et al. GMAI-VL-R1: harnessing reinforcement learning for multimodal medical reasoning. "
    "arXiv:2504.01886",
    source_url="https://huggingface.co/datasets/General-Medical-AI/GMAI-Reasoning10K",
    layout="one *.jsonl of the repository and the images at the paths that its rows give",
    notes="9,965 is the count of a published recipe. The repository has two lists, 10,000 questions with a letter as "
    "answer and 7,004 with a trace; every *.jsonl at the root is read, so put there the one that is meant.",
)

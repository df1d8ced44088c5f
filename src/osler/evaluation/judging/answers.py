"""Answers: kept predictions of the real run, each with the sample it answers, for whoever judges them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from osler.core.errors import InputError
from osler.evaluation.journal import read_predictions
from osler.schema.prediction import Prediction
from osler.schema.sample import Sample
from osler.store.shards import Store


@dataclass(frozen=True)
class Stored:
    """A sample and where it lies: `row` is its index row in store number `store`."""

    sample: Sample
    row: dict[str, Any]
    store: int


def real_answers(path: Path, *, tasks: Sequence[str] = ()) -> list[Prediction]:
    """The predictions with the real image, of `tasks` or of all.

    Raises:
        InputError: there is none.
    """
    found = [p for p in read_predictions(path) if p.condition == "image" and (not tasks or p.task in tasks)]
    if not found:
        wanted = f"answers of {', '.join(tasks)} with the image" if tasks else "answers with the image"
        raise InputError(f"{path} holds no answer to judge", expected=wanted, fix="Name what osler eval wrote.")
    return found


def stored_samples(ids: Sequence[str], stores: Sequence[Store]) -> dict[str, Stored]:
    """The samples with these ids.

    Raises:
        InputError: one is in no store, or in two.
    """
    wanted, found = pa.array(list(dict.fromkeys(ids)), pa.string()), dict[str, Stored]()
    for number, store in enumerate(stores):
        for split in store.splits():
            table = store.table(split)
            rows = table.filter(pc.is_in(table["sample_id"], wanted)).to_pylist()
            for sample, row in zip(store.samples(rows), rows, strict=True):
                if sample.id in found:
                    raise InputError(f"two samples have the id {sample.id!r}", fix="Give each data folder once.")
                found[sample.id] = Stored(sample, row, number)
    absent = [id for id in wanted.to_pylist() if id not in found]
    if absent:
        raise InputError(
            f"{len(absent)} of {len(wanted)} answered items are not in the data",
            expected="data: the folders that the answers were asked from",
            got=f"nothing for {absent[0]!r}",
        )
    return found


def question_text(sample: Sample) -> str:
    """What the candidate was asked, with the right answer, as a judge is shown it."""
    answer = sample.answer
    gold = f"{answer.letter}. {answer.text}" if answer.kind == "choice" else answer.text
    return f"{sample.question}\n\nRight answer: {gold}"

"""Preferences: pairs of a better and a worse reply to one question, as files of lines."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

from osler.core.errors import InputError
from osler.core.files import atomic_write, existing_file, read_jsonl
from osler.rl.questions import Place
from osler.schema.base import Record
from osler.train.pack import Selection

PAIR_VERSION: Final = 1
FILE = "pairs.jsonl"


class Pair(Record):
    """Two replies to a question; each is all that was said, without the end token.

    chosen_reward, rejected_reward: what they are worth, None where no reward judged them (a person did).
    """

    schema_version: Literal[1] = PAIR_VERSION
    sample_id: str
    chosen: str
    rejected: str
    chosen_reward: float | None = None
    rejected_reward: float | None = None


def write_pairs(path: Path, pairs: Iterable[Pair]) -> int:
    """Write one line a pair, whole or not at all; returns how many."""
    lines = [pair.model_dump_json() + "\n" for pair in pairs]
    with atomic_write(path, "w") as file:
        file.writelines(lines)
    return len(lines)


def read_pairs(paths: Sequence[Path]) -> list[Pair]:
    """The pairs of the files, in order.

    Raises:
        InputError: a file without pairs, or a pair of two equal replies.
    """
    pairs = []
    for path in paths:
        lines = [Pair.model_validate(line) for line in read_jsonl(existing_file(path))]
        if not lines:
            raise InputError(f"{path} holds no pair")
        pairs += lines
    for pair in pairs:
        if pair.chosen == pair.rejected:
            raise InputError(f"a pair for sample {pair.sample_id!r} has two equal replies", fix="Leave it out.")
    return pairs


def places_of(pairs: Sequence[Pair], selections: Sequence[Selection]) -> list[Place]:
    """Where each pair's question is stored.

    Raises:
        InputError: no selection holds a pair's question.
    """
    known: dict[str, Place] = {}
    for number, selection in enumerate(selections):
        for row, sample_id in enumerate(selection.table["sample_id"].to_pylist()):
            known.setdefault(sample_id, (number, row))
    missing = [pair.sample_id for pair in pairs if pair.sample_id not in known]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(pairs)} pairs are about samples that data does not hold, such as {missing[0]!r}",
            fix="Name the stores and the split that the pairs were made from, with all of their tasks.",
        )
    return [known[pair.sample_id] for pair in pairs]

"""Parts: what a finished piece leaves below `.parts/`: its samples without pictures, and its drops."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from osler.core.files import atomic_write, read_jsonl
from osler.curate.drops import drops_table, write_drops
from osler.synth.reasoning.case import Accepted

FOLDER = ".parts"


def has_part(out: Path, number: int) -> bool:
    """Whether piece `number` is finished."""
    return accepted_path(out, number).is_file()


def write_part(out: Path, number: int, *, accepted: Sequence[Accepted], drops: Sequence[dict[str, Any]]) -> None:
    """Keep what a piece came to. The samples are the last file, and mark the piece as finished."""
    write_drops(drops_path(out, number), drops_table(drops))
    with atomic_write(accepted_path(out, number), "w") as file:
        for each in accepted:
            file.write(each.model_dump_json(exclude_defaults=True) + "\n")


def read_part(out: Path, number: int) -> Iterator[Accepted]:
    """The samples of a finished piece, in order."""
    return (Accepted.model_validate(row) for row in read_jsonl(accepted_path(out, number)))


def accepted_path(out: Path, number: int) -> Path:
    """Where the samples of a piece lie."""
    return out / FOLDER / f"piece-{number:05d}.jsonl"


def drops_path(out: Path, number: int) -> Path:
    """Where the drops of a piece lie."""
    return out / FOLDER / f"piece-{number:05d}.drops.parquet"

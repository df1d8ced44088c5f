"""Assemble: finished pieces to shards and to the published layout; what the whole set decides is decided here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from osler.curate.drops import FILE as DROPS_FILE
from osler.curate.drops import drop, drops_table, merge_drops, write_drops
from osler.schema.sample import Sample, Split
from osler.store.reader import Store
from osler.store.record import StoredRecord
from osler.store.shards import write_shard
from osler.synth.reasoning.case import Accepted
from osler.synth.reasoning.letters import balanced_letters, ordered_options
from osler.synth.reasoning.parts import FOLDER, drops_path, read_part
from osler.synth.reasoning.published import evidence_row, made_sample, published_row, write_rows
from osler.synth.reasoning.repeated import Repeat, repeated_questions
from osler.synth.reasoning.source import Piece
from osler.synth.splits import SPLITS

# Of two questions that say the same, the one that others are scored on stays.
_FIRST_RIGHT: tuple[Split, ...] = ("test", "validation", "train")
_REPEATS = "repeated.drops.parquet"


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """How finished pieces become files. estimate: of a sample's tokens and tiles, for the index."""

    out: Path
    name: str
    seed: int
    shard_records: int
    estimate: Callable[[Sample], tuple[int, int]]


def assemble(pieces: Sequence[Piece], stores: Sequence[Store], how: Assembly) -> None:
    """Write `shards/`, `index/`, `data/`, `evidence/` and `drops.parquet`."""
    repeats = list(_repeats(how.out, pieces))
    letters = _letters(how, pieces, {repeat.id for repeat in repeats})
    for split in SPLITS:
        _write_split(split, pieces, stores, letters=letters, how=how)
    rows = (
        drop(
            each.id,
            "repeated_question",
            f"nearly the words of another: {each.score:.3f}",
            matched_id=each.matched_id,
            score=each.score,
        )
        for each in repeats
    )
    write_drops(how.out / FOLDER / _REPEATS, drops_table(rows))
    parts = [*(drops_path(how.out, piece.number) for piece in pieces), how.out / FOLDER / _REPEATS]
    merge_drops(how.out / FOLDER / DROPS_FILE, parts)
    (how.out / FOLDER / DROPS_FILE).replace(how.out / DROPS_FILE)


def _all(out: Path, pieces: Sequence[Piece]) -> Iterator[Accepted]:
    return (each for piece in pieces for each in read_part(out, piece.number))


def _repeats(out: Path, pieces: Sequence[Piece]) -> Iterator[Repeat]:
    found = [(each.id, each.split, each.question) for each in _all(out, pieces)]
    ordered = sorted(found, key=lambda one: _FIRST_RIGHT.index(one[1]))
    return repeated_questions((id, question) for id, _, question in ordered)


def _letters(how: Assembly, pieces: Sequence[Piece], repeated: set[str]) -> dict[str, str]:
    """The right letter of each sample that is kept."""
    kept = [
        (each.id, (each.split, len(each.question.options))) for each in _all(how.out, pieces) if each.id not in repeated
    ]
    letters = balanced_letters((kind for _, kind in kept), seed=how.seed)
    return {id: letter for (id, _), letter in zip(kept, letters, strict=True)}


def _write_split(
    split: Split, pieces: Sequence[Piece], stores: Sequence[Store], *, letters: dict[str, str], how: Assembly
) -> None:
    records: list[tuple[list[Accepted], bytes]] = []
    number = 0
    for record in _records(split, pieces, stores, letters, how):
        records.append(record)
        if len(records) == how.shard_records:
            _write(split, number, records, letters=letters, how=how)
            records, number = [], number + 1
    if records:
        _write(split, number, records, letters=letters, how=how)


def _records(
    split: Split, pieces: Sequence[Piece], stores: Sequence[Store], letters: dict[str, str], how: Assembly
) -> Iterator[tuple[list[Accepted], bytes]]:
    """The samples of each figure that are kept, with the figure's file."""
    for piece in pieces:
        kept = [each for each in read_part(how.out, piece.number) if each.split == split and each.id in letters]
        if not kept:
            continue
        store = stores[piece.store]
        rows = {row["key"]: row for row in store.rows(store.table(piece.split), piece.rows)}
        for key, samples in groupby(kept, key=lambda each: each.key):
            (image,) = store.media(rows[key])
            yield list(samples), image


def _write(
    split: Split, number: int, records: list[tuple[list[Accepted], bytes]], *, letters: dict[str, str], how: Assembly
) -> None:
    stored, rows, evidence = [], [], []
    for accepted, image in records:
        samples = []
        for each in accepted:
            options = ordered_options(each.question, letters[each.id], seed=how.seed, id=each.id)
            sample = made_sample(each, options, name=how.name)
            samples.append(sample)
            rows.append(published_row(each, sample, image))
            evidence.append(evidence_row(each))
        stored.append(StoredRecord(accepted[0].key, tuple(samples), {accepted[0].media.path: image}))
    write_shard(how.out, split, number, records=stored, estimate=how.estimate)
    write_rows(how.out, split, number, rows=rows, evidence=evidence)

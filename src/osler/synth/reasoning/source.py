"""Source: the curated stores that articles come from, cut into pieces, and the split of each article."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import InputError
from osler.curate.opened import OpenRecord
from osler.curate.plan import PlannedRecord
from osler.schema.sample import Split
from osler.store.reader import Store, record_starts
from osler.synth.splits import split_by_hash


@dataclass(frozen=True)
class Piece:
    """Some records that follow one another in a store: what is worked on at once, and finished or not."""

    number: int
    store: int
    split: str
    rows: tuple[int, ...]


def open_stores(folders: Sequence[Path]) -> list[Store]:
    """The stores. Raises InputError where one is none."""
    return [Store(folder) for folder in folders]


def plan_pieces(stores: Sequence[Store], splits: Sequence[str], *, piece_figures: int) -> list[Piece]:
    """All records of these splits in stored order, `piece_figures` a piece.

    Raises:
        InputError: no store has a split, or two hold a sample of the same id or a record of the same key.
    """
    pieces: list[Piece] = []
    owners: dict[tuple[str, str], int] = {}
    for number, store in enumerate(stores):
        for split in (split for split in splits if split in store.splits()):
            table = store.table(split)
            for column in ("sample_id", "key"):
                for name in set(table[column].to_pylist()):
                    _own(owners, (column, name), number, stores)
            starts = record_starts(table).tolist()
            for start in range(0, len(starts), piece_figures):
                pieces.append(Piece(len(pieces), number, split, tuple(starts[start : start + piece_figures])))
    if not pieces:
        known = ", ".join(sorted({split for store in stores for split in store.splits()}))
        raise InputError(f"no store has a split {' or '.join(splits)}", expected=f"some of {known}")
    return pieces


def piece_records(piece: Piece, store: Store) -> Iterator[OpenRecord]:
    """The records of a piece with the bytes of their images, as operators take them."""
    for row in store.rows(store.table(piece.split), piece.rows):
        samples = store.record_samples(row)
        files = dict(zip(row["media_names"], store.media(row), strict=True))
        planned = PlannedRecord(row["key"], row["dataset"], piece.split, store.folder, {}, samples)
        yield OpenRecord(planned, list(samples), dict(files))


def article_splits(stores: Sequence[Store], splits: Sequence[str], shares: Mapping[Split, float]) -> dict[str, Split]:
    """The split of each article (`group`), by a hash of its name.

    Articles that show one and the same image file are one article here, so that no image is in two splits.
    """
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    owner: dict[str, str] = {}
    for store in stores:
        for split in (split for split in splits if split in store.splits()):
            table = store.table(split).select(["group", "media_sha256"]).to_pydict()
            for group, digests in zip(table["group"], table["media_sha256"], strict=True):
                for digest in digests:
                    first, second = sorted((find(group), find(owner.setdefault(digest, group))))
                    leader[second] = first
                find(group)
    return {group: split_by_hash(find(group), dict(shares)) for group in leader}


def _own(owners: dict[tuple[str, str], int], name: tuple[str, str], number: int, stores: Sequence[Store]) -> None:
    before = owners.setdefault(name, number)
    if before != number:
        noun = "sample" if name[0] == "sample_id" else "record"
        raise InputError(
            f"{stores[before].folder} and {stores[number].folder} both hold the {noun} {name[1]!r}",
            fix="Curate the articles into one store, which counts repeated ones.",
        )

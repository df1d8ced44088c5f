"""Readers of conversations: of a turn only who speaks and the words are read, into pairs under the field `said`.

Conversations stand in tables as lists of structures, with wide columns beside them. Reading the needed columns alone,
and turns column by column, takes half the time that whole rows take.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.datasets import parse
from osler.datasets.dataset import BadRow, Row

_BATCH_ROWS = 250


@dataclass(frozen=True)
class ChatTable:
    """Parquet files: `column` holds the turns, `speaker` and `words` are a turn's keys, `others` are read too."""

    column: str
    speaker: str
    words: str
    others: tuple[str, ...] = ()

    def __call__(self, root: Path, name: str) -> Iterator[Row]:
        """Rows with the fields `said`, a list of (speaker, words), and `others`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        needed = [self.column, *self.others]
        try:
            file = pq.ParquetFile(existing_file(root / name), pre_buffer=False)
            self._check(root / name, file.schema_arrow)
            for batch in file.iter_batches(_BATCH_ROWS, columns=needed):
                yield from self._rows(batch)
        except pa.ArrowException as error:
            raise InputError(f"{root / name} is no readable parquet file: {error}") from error

    def _check(self, path: Path, schema: Any) -> None:
        turns = f"{self.column} (a list of {self.speaker}, {self.words})"
        expected = ", ".join([turns, *self.others])
        missing = [name for name in (self.column, *self.others) if name not in schema.names]
        kind = schema.field(self.column).type if not missing else None
        inner = getattr(kind, "value_type", None)
        keys = {inner.field(number).name for number in range(inner.num_fields)} if inner is not None else set()
        if missing or not {self.speaker, self.words} <= keys:
            found = ", ".join(f"{field.name} ({field.type})" for field in schema)
            raise InputError(f"{path} has other columns", expected=expected, got=found)

    def _rows(self, batch: Any) -> Iterator[Row]:
        chats = batch.column(self.column)
        turns = chats.flatten()
        names = [turns.type.field(number).name for number in range(turns.type.num_fields)]
        parts = turns.flatten()
        speakers, words = (parts[names.index(key)].to_pylist() for key in (self.speaker, self.words))
        pairs = zip(speakers, words, strict=True)
        said = [list(islice(pairs, length or 0)) for length in chats.value_lengths().to_pylist()]
        rest = [batch.column(name).to_pylist() for name in self.others]
        for values in zip(said, *rest, strict=True):
            yield dict(zip(("said", *self.others), values, strict=True))


@dataclass(frozen=True)
class ChatLines:
    """JSON lines with the same fields."""

    column: str
    speaker: str
    words: str

    def __call__(self, root: Path, name: str) -> Iterator[Row | BadRow]:
        """The rows, with the field `said` beside their own; one without whole turns is a bad row."""
        for number, row in enumerate(parse.parse_jsonl(root, name)):
            if isinstance(row, BadRow) or self.column not in row:
                yield row
                continue
            try:
                yield {**row, "said": [(turn[self.speaker], turn[self.words]) for turn in row[self.column]]}
            except (KeyError, TypeError):
                yield BadRow(f"other fields: a turn of row {number} of {name} lacks {self.speaker} or {self.words}")

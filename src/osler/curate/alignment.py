"""Alignment: how well a sample's text fits its image, as an encoder judged elsewhere, read from a Parquet file."""

import math
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from osler.core.errors import InputError

COLUMNS = ("id", "score")


def check_scores(path: str) -> str:
    """What is wrong with a file of scores, "" for nothing. Only its schema is read."""
    if not path:
        return "set `scores` to a Parquet file with the columns id and score"
    if not Path(path).is_file():
        return f"no file {path}"
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        return f"{path} is no Parquet file ({error})"
    if missing := [name for name in COLUMNS if name not in schema.names]:
        return f"{path} has no column {missing[0]!r}; it has {', '.join(schema.names)}"
    kind = schema.field("score").type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        return f"column 'score' of {path} is {kind}, not a number"
    return ""


def read_scores(path: str, ids: Sequence[str]) -> dict[str, float]:
    """The scores of `ids`; one without a row, or with no number, is left out.

    Raises:
        InputError: the file cannot be read, or gives an id two different scores.
    """
    if why := check_scores(path):
        raise InputError(f"cannot read alignment scores: {why}")
    if not ids:
        return {}
    table = pq.read_table(path, columns=list(COLUMNS), filters=[("id", "in", set(ids))])
    scores: dict[str, float] = {}
    for id, score in zip(table["id"].to_pylist(), table["score"].to_pylist(), strict=True):
        if score is None or math.isnan(score):
            continue
        if scores.setdefault(id, float(score)) != float(score):
            raise InputError(f"{path} gives {id!r} two scores", expected="one row for each sample")
    return scores

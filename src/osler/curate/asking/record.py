"""Record of what a model answered: one table a shard below `asked/`, for kept and dropped samples alike."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from osler.core.files import atomic_write, sha256_json
from osler.endpoint.ask import Answered

FOLDER = "asked"
ASKED = pa.schema(
    [(name, pa.string()) for name in ("id", "rule", "answer", "problem")]
    + [("tries", pa.int32()), ("tokens_in", pa.int64()), ("tokens_out", pa.int64())]
    + [("model", pa.string()), ("prompt_sha256", pa.string())]
)
"""id: the sample. rule: the operator. answer: the typed answer as JSON, "" where none could be read; problem: then why.
tries, tokens_in, tokens_out: what it took, whenever it was asked for. prompt_sha256: of the instruction."""


def write_asked(
    folder: Path | None, answers: Mapping[str, Answered[Any]], *, rule: str, model: str, prompt_sha256: str
) -> None:
    """Write the answers under `folder`, in a file named after the samples: a shard made again writes the same file."""
    if folder is None or not answers:
        return
    rows = [
        {
            "id": id,
            "rule": rule,
            "answer": answer.value.model_dump_json() if answer.value is not None else "",
            "problem": answer.problem,
            "tries": answer.tries,
            "tokens_in": answer.tokens_in,
            "tokens_out": answer.tokens_out,
            "model": model,
            "prompt_sha256": prompt_sha256,
        }
        for id, answer in answers.items()
    ]
    name = f"{rule}-{sha256_json(sorted(answers))[:16]}.parquet"
    with atomic_write(folder / FOLDER / name) as file:
        pq.write_table(pa.Table.from_pylist(rows, schema=ASKED), file, compression="zstd", compression_level=3)


def read_asked(folder: Path, rules: Sequence[str] | None = None) -> pa.Table:
    """All answers under `folder`, of some operators or of all."""
    parts = [pq.read_table(path, partitioning=None) for path in sorted((folder / FOLDER).glob("*.parquet"))]
    table = pa.concat_tables([ASKED.empty_table(), *(part.cast(ASKED) for part in parts)])
    return table if rules is None else table.filter(pc.is_in(table["rule"], pa.array(rules, pa.string())))

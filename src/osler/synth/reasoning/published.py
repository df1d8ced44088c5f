"""Published: a sample in the layout in which OpenMedReason is published, and what it rests on beside it.

`data/SPLIT-NUMBER.parquet` is read by the adapter `open_med_reason`: image, question with its options below, reasoning
between `<think>` marks and answer; in splits with a rubric the units of each axis. Columns that the published set lacks
say where a row comes from. `evidence/SPLIT-NUMBER.parquet` has the source, and where in it each quote stands.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from osler.core.files import atomic_write
from osler.datasets.wording import ask_choice
from osler.schema.sample import RubricUnit, Sample, choice, user
from osler.store.index import shard_name
from osler.synth.reasoning.case import Accepted
from osler.synth.reasoning.taxonomy import FAMILY_OF
from osler.synth.reasoning.trace_checks import AXES

_TEXT = pa.string()
_UNIT_FIELDS = (
    "unit_id", "topic", "claim", "source_quote", "importance", "presence_question", "correctness_question",
)  # fmt: skip
_UNITS = pa.list_(pa.struct([(name, _TEXT) for name in _UNIT_FIELDS]))
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", _TEXT)])
_ORIGIN = ("id", "article", "category", "family", "licence", "access", "source_url")
ROWS = pa.schema(
    [("image", _IMAGE), ("question", _TEXT), ("reasoning", _TEXT), ("answer", _TEXT)]
    + [(name, _TEXT) for name in _ORIGIN]
)
RUBRIC_ROWS = pa.schema([*ROWS][:4] + [pa.field(axis, _UNITS) for axis in AXES] + [*ROWS][4:])
_QUOTES = pa.list_(pa.struct([("what", _TEXT), ("quote", _TEXT), ("start", pa.int64()), ("end", pa.int64())]))
EVIDENCE = pa.schema([("id", _TEXT), ("context", _TEXT), ("quotes", _QUOTES), ("draft", _TEXT)])


def made_sample(each: Accepted, options: tuple[str, ...], *, name: str) -> Sample:
    """The sample that a shard holds, its options in this order."""
    return Sample(
        id=each.id,
        turns=(user(each.media, ask_choice(each.question.stem, options)),),
        answer=choice(each.question.answer, options),
        reasoning=each.trace.text,
        task="choice_qa",
        split=each.split,
        group=each.group,
        modality=each.modality,
        body_part=each.body_part,
        rubric=each.units,
        tags=(
            *(("rubric",) if each.units else ()),
            f"family:{FAMILY_OF[each.category]}",
            f"category:{each.category}",
        ),
        provenance=each.provenance.model_copy(update={"dataset": name, "record_id": each.id}),
    )


def published_row(each: Accepted, sample: Sample, image: bytes) -> dict[str, Any]:
    """The row of a sample."""
    letter = sample.answer.letter
    row = {
        "image": {"bytes": image, "path": each.media.path},
        "question": sample.question,
        "reasoning": f"<think>{each.trace.text}</think><answer>{letter}</answer>",
        "answer": letter,
        "id": each.id,
        "article": each.group,
        "category": each.category,
        "family": FAMILY_OF[each.category],
        "licence": each.provenance.licence,
        "access": each.provenance.access,
        "source_url": each.provenance.source_url,
    }
    return row | {axis: [_unit(unit) for unit in each.units if unit.axis == axis] for axis in AXES}


def evidence_row(each: Accepted) -> dict[str, Any]:
    """The source of a sample and the quotes that it rests on, in the source's own letters."""
    quotes = [
        {"what": quote.what, "quote": each.context[quote.start : quote.end], "start": quote.start, "end": quote.end}
        for quote in each.quotes
    ]
    return {"id": each.id, "context": each.context, "quotes": quotes, "draft": each.draft}


def write_rows(
    out: Path, split: str, number: int, *, rows: Sequence[dict[str, Any]], evidence: Sequence[dict[str, Any]]
) -> None:
    """Write both files that belong to a shard; units are a column of splits that have some."""
    schema = RUBRIC_ROWS if any(row[axis] for row in rows for axis in AXES) else ROWS
    name = f"{shard_name(split, number)}.parquet"
    for folder, table in (
        ("data", pa.Table.from_pylist(list(rows), schema=schema)),
        ("evidence", pa.Table.from_pylist(list(evidence), schema=EVIDENCE)),
    ):
        with atomic_write(out / folder / name) as file:
            pq.write_table(table, file, compression="zstd", compression_level=3)


def _unit(unit: RubricUnit) -> dict[str, str]:
    return {"unit_id": unit.id, **{name: getattr(unit, name) for name in _UNIT_FIELDS if name != "unit_id"}}

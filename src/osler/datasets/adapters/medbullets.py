"""Medbullets: questions in the style of licensing steps 2 and 3, with four or five options and an explanation.

File: {"link": {"0": "https://...", "1": "..."}, "question": {"0": "...", "1": "..."}, "opa": {...}, ..., "ope": {...},
       "answer_idx": {"0": "B", ...}, "answer": {...}, "explanation": {...}}, one mapping a column
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from osler.core.errors import InputError
from osler.core.files import read_json
from osler.datasets.choices import lettered
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import group_of
from osler.datasets.read import FileRows, FirstOf, parquet
from osler.schema.sample import Provenance, Sample

_OPTIONS = {"opa": "A", "opb": "B", "opc": "C", "opd": "D", "ope": "E"}
_FIELDS = ("question", "opa", "opb", "opc", "opd", "answer_idx", "answer", "explanation")


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question with its options; the published explanation is the reasoning."""
    options = {letter: row[key] for key, letter in _OPTIONS.items() if row.get(key)}
    tags = (f"options:{len(options)}",)
    reasoning = str(row["explanation"] or "").strip()
    group = group_of("medbullets", row["question"])
    sample = lettered(row["question"], options, row["answer_idx"], reasoning=reasoning, tags=tags, group=group)
    link = str(row.get("link") or "")
    if isinstance(sample, Skip) or not link.startswith("https://"):
        return sample
    source = Provenance(dataset="medbullets", record_id=row["_id"], licence="NOASSERTION", source_url=link)
    return sample.model_copy(update={"provenance": source})


def parse_columns(root: Path, name: str) -> Iterator[Row]:
    """The rows of a file of columns, each a mapping from a row's name to its value; 308 rows, read at once."""
    table: Any = read_json(root / name)
    columns = {key: column for key, column in table.items() if isinstance(column, dict)} if table else {}
    if missing := [field for field in _FIELDS if field not in columns]:
        expected = f"columns {', '.join(_FIELDS)}, each a mapping from row to value"
        raise InputError(f"{root / name} lacks {', '.join(missing)}", expected=expected, got=", ".join(sorted(table)))
    for number in columns["question"]:
        row = {key: column.get(number) for key, column in columns.items()}
        yield {**row, "_id": f"{PurePosixPath(name).stem.rpartition('_')[2]}/{number}"}


def from_hub(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The hub's rows, one question a row, named like those of the files."""
    for number, row in enumerate(rows):
        yield {**row, "_id": f"op{5 if row.get('ope') else 4}/{number}"}


DATASET = Dataset(
    licence="NOASSERTION",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    id_key="_id",
    splits={"test": 616},
    rows=FirstOf(
        (
            FileRows({"test": "medbullets_op*.json"}, parse_columns, _FIELDS),
            FileRows({"test": "medbullets/medbullets_op*.json"}, parse_columns, _FIELDS),
            parquet({"test": "data/*.parquet"}, fields=_FIELDS, change=from_hub),
        )
    ),
    to_sample=to_sample,
    citation="Chen et al. Benchmarking large language models on answering and explaining challenging medical "
    "questions. NAACL 2025. arXiv:2402.18060",
    source_url="https://github.com/HanjieChen/ChallengeClinicalQA",
    hub_id="LangAGI-Lab/medbullets_op5",
    layout="medbullets_op4.json and medbullets_op5.json, or one of them (columns, not rows)",
    stages=("evaluate",),
    known_from="code",
    notes="The same 308 questions twice, with four (tag options:4) and with five options (options:5), between which "
    "the right letter differs: select one of the tags. Published scores are also given on 298 of them; by which "
    "rule is not said. Some questions speak of a figure that is not published.",
)

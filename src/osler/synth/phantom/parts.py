"""What a finished shard leaves for the end: its truth and the words of its questions, merged into two files.

The parts lie below `.parts/`; a shard's truth is the last file that is written of it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from osler.core.files import atomic_write, write_json
from osler.synth.phantom.ceiling import Question, text_ceilings
from osler.synth.phantom.plan import Job
from osler.synth.phantom.truth import Study
from osler.synth.splits import SPLITS

TRUTH = "truth.parquet"
QUALITY = "quality.json"
FOLDER = ".parts"

_QUESTIONS = pa.schema(
    [
        ("task", pa.string()),
        ("words", pa.string()),
        ("kind", pa.string()),
        ("answer", pa.string()),
        ("options", pa.list_(pa.string())),
        ("tolerance", pa.float64()),
    ]
)
_FINDING = pa.struct(
    [
        ("kind", pa.string()),
        ("side", pa.string()),
        ("zone", pa.string()),
        ("size", pa.float64()),
        ("grade", pa.string()),
        ("box", pa.list_(pa.float64())),
    ]
)
_TRUTH = pa.schema(
    [
        ("study_id", pa.string()),
        ("patient_id", pa.string()),
        ("split", pa.string()),
        ("study_number", pa.int32()),
        ("day", pa.int32()),
        ("sex", pa.string()),
        ("age", pa.int32()),
        ("view", pa.string()),
        ("ctr", pa.float64()),
        ("num_nodules", pa.int32()),
        ("present", pa.list_(pa.string())),
        ("findings", pa.list_(_FINDING)),
    ]
)


def write_part(out: Path, job: Job, *, studies: Sequence[Study], questions: Sequence[Question]) -> None:
    """Keep what the merge needs of one shard that has just been written."""
    _write_table(_part(out, "questions", job), pa.Table.from_pylist(list(map(vars, questions)), _QUESTIONS))
    _write_table(_part(out, "truth", job), pa.Table.from_pylist([_row(s, job.split) for s in studies], _TRUTH))


def has_part(out: Path, job: Job) -> bool:
    """Whether a shard's part is there, or has been merged already."""
    return _part(out, "truth", job).is_file() or _is_merged(out)


def merge_parts(out: Path, jobs: Sequence[Job]) -> None:
    """`quality.json` and `truth.parquet` from the parts of all shards; the truth comes last and ends the merging."""
    if _is_merged(out):
        return
    asked: dict[str, list[Question]] = {split: [] for split in SPLITS}
    for job in jobs:
        rows = pq.ParquetFile(_part(out, "questions", job)).read().to_pylist()
        asked[job.split] += [Question(**{**row, "options": tuple(row["options"])}) for row in rows]
    write_json(out / QUALITY, text_ceilings(asked["train"], asked["test"]))
    _write_table(out / TRUTH, pa.concat_tables(pq.ParquetFile(_part(out, "truth", job)).read() for job in jobs))


def _is_merged(out: Path) -> bool:
    return (out / TRUTH).is_file() and (out / QUALITY).is_file()


def _row(study: Study, split: str) -> dict[str, Any]:
    facts = {name: getattr(study, name) for name in ("patient_id", "day", "sex", "age", "view", "ctr", "num_nodules")}
    findings = [vars(finding) for finding in study.findings]
    return facts | {
        "study_id": study.id,
        "study_number": study.number,
        "split": split,
        "present": list(study.present),
        "findings": findings,
    }


def _part(out: Path, kind: str, job: Job) -> Path:
    return out / FOLDER / f"{job.name}.{kind}.parquet"


def _write_table(path: Path, table: pa.Table) -> None:
    with atomic_write(path) as file:
        pq.write_table(table, file, compression="zstd")

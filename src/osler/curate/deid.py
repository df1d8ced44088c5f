"""The command `osler deid`: a folder of DICOM files and reports to one without persons, under keyed pseudonyms.

It is a step of its own, before `osler curate`, so that curation never sees what identifies. The result is what the
adapter `dicom_folder` reads: `studies.jsonl`, `images/`, `dicom/`; what was held back stands in `held_back.jsonl`
under the number of its file in the sorted list of files. No file name, no path and no value of a header is written.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.files import atomic_write, existing_folder, read_json, write_json
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.core.workers import worker_pool
from osler.curate.deid_reports import clean_reports, read_people, read_reports
from osler.curate.deid_work import SCANS, Chunk, WorkSettings, make_chunk
from osler.media.deid import Ocr
from osler.media.deid_header import Times
from osler.media.deid_key import Pseudonyms, read_key
from osler.media.deid_ocr import MARKERS


class SharesConfig(Config):
    """The share of patients in each split. A patient's split follows from the key."""

    train: Annotated[float, Field(ge=0, le=1)] = 0.8
    validation: Annotated[float, Field(ge=0, le=1)] = 0.1
    test: Annotated[float, Field(ge=0, le=1)] = 0.1

    @model_validator(mode="after")
    def _adds_up(self) -> "SharesConfig":
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("the shares must add up to 1")
        return self


class DeidConfig(Config):
    """A recipe of `osler deid`.

    root: folder with DICOM files at any depth, whatever they are called. key_file: 32 random bytes or more, outside
    of `root`, readable by its owner only. reports: `.jsonl` or `.csv` with `text` and one of `study_uid`, `accession`,
    `patient_id`. ocr, times: see `media.deid.Policy`. markers: words that may stay in pixels.
    unknown_names: a report in which pairs of capitalised words are left. dicom: write clean DICOM files of scans only,
    or of all instances. frames: of a clip, how many become pictures.
    """

    root: str
    key_file: str
    reports: str = ""
    ocr: Ocr = "all"
    times: Times = "hour"
    markers: tuple[str, ...] = MARKERS
    unknown_names: Literal["hold_back", "keep"] = "keep"
    dicom: Literal["scans", "all"] = "scans"
    frames: PositiveInt = 8
    splits: SharesConfig = SharesConfig()
    chunk_files: PositiveInt = 64
    num_workers: Annotated[int, Field(ge=0)] = 1


def parse(recipe: Recipe) -> DeidConfig:
    """The recipe checked. Nothing is read yet."""
    return DeidConfig.parse(recipe)


def inputs(config: DeidConfig) -> list[Path]:
    """The folder and the reports; the key is not among them, so not even its hash is written."""
    return [Path(config.root), *([Path(config.reports)] if config.reports else [])]


def run(config: DeidConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Write pictures, scans, `studies.jsonl`, `held_back.jsonl` and `summary.json`. `device` is not used."""
    del device
    root, key_file = existing_folder(Path(config.root)), Path(config.key_file)
    for folder in (root, out):
        if key_file.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"the key file lies in {folder}", fix="Keep it apart from the data.")
    names = Pseudonyms(read_key(key_file))
    files = raw_files(root, Path(config.reports) if config.reports else None)
    work = WorkSettings(names, config.ocr, config.times, config.markers, config.dicom, config.frames)
    chunks = [
        Chunk(root, number, tuple(files[at : at + config.chunk_files]), at)
        for number, at in enumerate(range(0, len(files), config.chunk_files))
    ]
    done = list(log.progress(_run_chunks(chunks, out, work, config.num_workers), "deid", total=len(chunks)))
    rows, held = _merged(done, out)
    reports: dict[str, str] = {}
    counts: dict[str, int] = {}
    if config.reports:
        people = read_people((root / name for name in files), names)
        allowed = config.unknown_names == "keep"
        cleaned = clean_reports(read_reports(Path(config.reports)), people, allow_unknown_names=allowed)
        reports, counts = cleaned.texts, cleaned.counts
        held += cleaned.held_back
    studies = _studies(rows, reports, names, config.splits)
    _write_lines(out / "studies.jsonl", studies)
    _write_lines(out / "held_back.jsonl", held)
    kinds = Counter(row["reason"].partition(":")[0] for row in held)
    numbers = {
        "files": len(files),
        "instances": len(rows),
        "studies": len(studies),
        "reports": len(reports),
        "held_back": len(held),
        "boxes_masked": sum(row["num_masked"] for row in rows),
    }
    summary = {"counts": numbers, "held_back": dict(sorted(kinds.items())), "replaced_in_reports": counts}
    write_json(out / "summary.json", summary)
    message = f"{len(rows)} instances of {len(studies)} studies, {len(held)} held back: {out}"
    return Outcome(message, counts=numbers)


def raw_files(root: Path, reports: Path | None) -> list[str]:
    """Every file below `root` in the order of its name, but for hidden ones and the reports."""
    kept = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and not hidden and (reports is None or path.resolve() != reports.resolve()):
            kept.append(name.as_posix())
    return kept


def _run_chunks(chunks: list[Chunk], out: Path, work: WorkSettings, num_workers: int) -> Iterator[Path]:
    if num_workers <= 1:
        yield from (make_chunk(chunk, out, work) for chunk in chunks)
        return
    with worker_pool(num_workers) as pool:
        futures = [pool.submit(make_chunk, chunk, out, work) for chunk in chunks]
        yield from (future.result() for future in futures)


def _merged(done: list[Path], out: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of all chunks. Of several files with one instance number the first counts."""
    rows: list[dict[str, Any]] = []
    held: list[dict[str, Any]] = []
    seen: dict[str, str] = {}
    for path in done:
        chunk = read_json(path)
        held += chunk["held_back"]
        for row in chunk["rows"]:
            if row["uid"] not in seen:
                seen[row["uid"]] = row["instance"]
                rows.append(row)
                continue
            held.append({"file": row["file"], "reason": "instance number repeated"})
            if row["instance"] != seen[row["uid"]]:  # the bytes differ, so it has files of its own
                for name in filter(None, (*row["images"], row["dicom"])):
                    (out / name).unlink(missing_ok=True)
    return rows, sorted(held, key=lambda row: row["file"])


def _studies(
    rows: list[dict[str, Any]], reports: dict[str, str], names: Pseudonyms, shares: SharesConfig
) -> list[dict[str, Any]]:
    studies: dict[str, dict[str, Any]] = {}
    for row in rows:
        study = studies.setdefault(
            row["study"],
            {
                "study": row["study"],
                "patient": row["patient"],
                "split": _split(names.share(row["patient"]), shares),
                "modality": row["facts"].get("Modality", ""),
                "body_part": row["facts"].get("BodyPartExamined", "").lower(),
                "images": [],
                "volumes": [],
                "report": reports.get(row["study"], ""),
            },
        )
        for path in row["images"]:
            study["images"].append({"path": path, "view": row["facts"].get("ViewPosition", ""), **row["shown"]})
        if row["dicom"] and row["facts"].get("Modality") in SCANS:
            folder = row["dicom"].rpartition("/")[0]
            if folder not in study["volumes"]:
                study["volumes"].append(folder)
    for study in studies.values():
        study["images"].sort(key=lambda image: image["path"])
    return [studies[name] for name in sorted(studies)]


def _split(share: float, shares: SharesConfig) -> str:
    if share < shares.train:
        return "train"
    return "validation" if share < shares.train + shares.validation else "test"


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    with atomic_write(path, "w") as file:
        for row in rows:
            file.write(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n")

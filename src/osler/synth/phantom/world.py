"""The phantom world as files: patients to shards, truth, ceilings, card; a finished shard is never drawn twice.

Each shard is a pure function of the seed and of the numbers of its patients, so the bytes do not depend on
the number of workers. A shard's last file is its part below `.parts/`; the parts are merged and removed at the end.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import pyarrow.parquet as pq
from pydantic import Field, PositiveInt, model_validator

from osler.core.config import Config
from osler.core.files import atomic_write
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.core.workers import worker_pool
from osler.curate.card import source_note, write_card
from osler.curate.croissant import write_croissant
from osler.curate.engine import collector_paused
from osler.curate.estimate import estimate_cost
from osler.datasets.adapters.phantom import DATASET as ADAPTER
from osler.store.index import index_path, read_info, tar_path
from osler.store.reader import Store
from osler.store.record import StoredRecord
from osler.store.shards import write_shard
from osler.synth.phantom.ceiling import Question, question_of
from osler.synth.phantom.dicom_out import study_dicom
from osler.synth.phantom.film import Film
from osler.synth.phantom.parts import FOLDER, TRUTH, has_part, merge_parts, write_part
from osler.synth.phantom.patient import make_patient
from osler.synth.phantom.plan import Job, plan_jobs
from osler.synth.phantom.records import patient_films, patient_records
from osler.synth.phantom.truth import DATASET, Study
from osler.synth.splits import SPLITS, SplitShares

_TITLE = "Drawn chest radiographs"


class PhantomConfig(Config):
    """A recipe of `osler synth` with `generator: phantom`.

    num_patients: each has 1 to 3 studies, 1.7 on average. image_px: width and height of a film.
    compare_share: share of the pairs of films that follow one another which are stored again, to be compared.
    shard_records: records a shard holds before a new one begins; a patient is never cut. write: `shards`, and
    `dicom` for one file per study as well. num_workers: processes; 0 and 1 work in this one.
    """

    generator: Literal["phantom"] = "phantom"
    seed: int = 0
    num_patients: Annotated[int, Field(ge=1, le=1_000_000)]
    image_px: Annotated[int, Field(ge=48, le=4096)] = 96
    splits: SplitShares = SplitShares(train=0.8, validation=0.1, test=0.1)
    compare_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    shard_records: PositiveInt = 1024
    num_workers: Annotated[int, Field(ge=0)] = 1
    write: Annotated[tuple[Literal["shards", "dicom"], ...], Field(min_length=1)] = ("shards",)

    @model_validator(mode="after")
    def _writes_shards(self) -> "PhantomConfig":
        if "shards" not in self.write or len(set(self.write)) != len(self.write):
            raise ValueError("write must be [shards] or [shards, dicom]")
        return self


@dataclass(frozen=True)
class World:
    """What every shard shares."""

    out: Path
    seed: int
    image_px: int
    compare_share: float
    with_dicom: bool


def draw_world(config: PhantomConfig, out: Path, log: Log) -> Outcome:
    """Write shards, index, `truth.parquet`, `quality.json`, card, croissant, and DICOM if asked, under `out`."""
    shares = {split: getattr(config.splits, split) for split in SPLITS}
    jobs = plan_jobs(config.seed, config.num_patients, shares=shares, shard_records=config.shard_records)
    world = World(out, config.seed, config.image_px, config.compare_share, with_dicom="dicom" in config.write)
    finished = _run_jobs(jobs, world, num_workers=config.num_workers)
    for _ in log.progress(finished, "draw", total=len(jobs), unit="shards"):
        pass
    merge_parts(out, jobs)
    _describe(out)
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    counts = _counts(out, config.num_patients)
    message = f"{counts['samples']} samples about {counts['studies']} studies of {counts['patients']} patients: {out}"
    return Outcome(message, seeds={"seed": config.seed}, counts=counts)


def _run_jobs(jobs: Sequence[Job], world: World, *, num_workers: int) -> Iterator[str]:
    draw = partial(draw_shard, world=world)
    if num_workers <= 1:
        yield from map(draw, jobs)
        return
    with worker_pool(num_workers) as pool:
        yield from pool.map(draw, jobs)


def draw_shard(job: Job, world: World) -> str:
    """Draw one shard and its part of the truth, unless both are there; returns its name."""
    if _is_finished(job, world.out):
        return job.name
    studies: list[Study] = []
    questions: list[Question] = []
    estimate = partial(estimate_cost, tile_px=world.image_px, max_tiles=1)
    records = _records(job, world, studies, questions)
    with collector_paused():
        write_shard(world.out, job.split, job.number, records=records, estimate=estimate)
    write_part(world.out, job, studies=studies, questions=questions)
    return job.name


def _records(job: Job, world: World, studies: list[Study], questions: list[Question]) -> Iterator[StoredRecord]:
    """The shard's records; notes what was drawn and asked on the way."""
    for number in job.patients:
        patient = make_patient(world.seed, number)
        films = patient_films(world.seed, patient, image_px=world.image_px)
        studies += [film.study for film in films]
        for visit, film in zip(patient.visits, films, strict=True):
            if world.with_dicom:
                _write_bytes(dicom_path(world.out, film), study_dicom(world.seed, patient, visit, film=film))
        for record in patient_records(world.seed, films, split=job.split, compare_share=world.compare_share):
            questions += map(question_of, record.samples)
            yield record


def dicom_path(out: Path, film: Film) -> Path:
    """Where a study's DICOM file lies."""
    return out / "dicom" / film.study.patient_id / f"{film.study.id}.dcm"


def _is_finished(job: Job, out: Path) -> bool:
    tar, index = tar_path(out, job.name), index_path(out, job.name)
    if not tar.is_file() or not index.is_file() or tar.stat().st_size != read_info(index).num_bytes:
        return False
    return has_part(out, job)


def _describe(out: Path) -> None:
    store = Store(out)
    sources = [source_note(DATASET, ADAPTER)]
    description = (
        "Drawn chest radiographs with reports, questions, boxes and masks; every answer follows from the drawing."
    )
    write_card(out, title=_TITLE, sources=sources, store=store)
    write_croissant(out, name=_TITLE, description=description, sources=sources, store=store)


def _counts(out: Path, num_patients: int) -> dict[str, int]:
    infos = Store(out).shards()
    return {
        "patients": num_patients,
        "studies": pq.ParquetFile(out / TRUTH).metadata.num_rows,
        "shards": len(infos),
        "records": sum(info.num_records for info in infos),
        "samples": sum(info.num_samples for info in infos),
    }


def _write_bytes(path: Path, data: bytes) -> None:
    with atomic_write(path) as file:
        file.write(data)

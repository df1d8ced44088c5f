"""`osler report`: results and training runs to one page and one JSON file; a curation to a page of its own."""

from pathlib import Path

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.files import write_json, write_text
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.report.case_card import Bounds
from osler.report.curation import gather_curation
from osler.report.curation_page import curation_page
from osler.report.encoders import ProtocolGroup
from osler.report.gather import Gathered, gather
from osler.report.page import html_page
from osler.report.tables import headline, headline_records

REPORT_VERSION = 1


class CasesConfig(Config):
    """How much of the kept cases the page shows; what it leaves out is counted there.

    num_cases: of each task, outcome and evaluation. num_images: of each case. max_image_px: longer side.
    max_characters: of each text. max_pictures_mib: all pictures together.
    """

    num_cases: NonNegativeInt = 8
    num_images: NonNegativeInt = 4
    max_image_px: PositiveInt = 384
    max_characters: PositiveInt = 4000
    max_pictures_mib: NonNegativeFloat = 16.0


class ReportConfig(Config):
    """What a report tells of. Each folder is the output of the command it is named after.

    results: of `osler eval` or `osler score`; of several, the page compares the models. comparisons: files that
    `osler compare A B --out` wrote of two of them, for the marks of what can be told apart.
    transfer: of `osler transfer`; encoders of several folders are compared where they share a protocol.
    training: of `osler train`, in the order in which the stages ran.
    data: of `osler curate` or `osler synth`, for the licences. notes: what a reader has to know.
    curation: of `osler curate`, for a page with kept and dropped examples.
    contamination: of `osler curate check` on that one. cases: how much of the kept cases is shown.
    num_examples: shown of each rule's drops and of each set. max_rows_read: rows of each split of a set that are read
        again in search of the dropped ones.
    """

    title: str = "Osler report"
    results: tuple[Path, ...] = ()
    transfer: tuple[Path, ...] = ()
    training: tuple[Path, ...] = ()
    data: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    curation: Path | None = None
    contamination: Path | None = None
    comparisons: tuple[Path, ...] = ()
    cases: CasesConfig = CasesConfig()
    num_examples: NonNegativeInt = 8
    max_rows_read: PositiveInt = 100_000


def parse(recipe: Recipe) -> ReportConfig:
    """The recipe, checked."""
    config = ReportConfig.parse(recipe)
    if not config.results and not config.transfer and config.curation is None:
        expected = "an output folder of `osler eval` or `osler transfer`, or one of `osler curate` as curation"
        raise InputError("a report needs results", expected=expected, got="none")
    if config.contamination is not None and config.curation is None:
        raise InputError("contamination is shown on the page of a curation", fix="Name its folder as curation.")
    if config.comparisons and not config.results:
        raise InputError("comparisons are shown beside results", fix="Name the compared folders as results.")
    for name in ("results", "transfer", "training", "data", "comparisons"):
        paths = getattr(config, name)
        if len(set(paths)) != len(paths):
            raise InputError(f"recipe: {name} must name each path once", got=", ".join(map(str, paths)))
    return config


def inputs(config: ReportConfig) -> list[Path]:
    """The folders and files that the report reads."""
    alone = [path for path in (config.curation, config.contamination) if path is not None]
    return [*config.results, *config.transfer, *config.training, *config.data, *config.comparisons, *alone]


def run(config: ReportConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Write `curation.html`, `report.html` and `report.json` to `out`. Runs no model, so `device` plays no part."""
    counts: dict[str, int] = {}
    if config.curation is not None:
        counts |= _write_curation(config, config.curation, out)
    if not config.results and not config.transfer:
        return Outcome(message=f"report: {out / 'curation.html'}", counts=counts)
    found = gather(
        results=config.results,
        training=config.training,
        data=config.data,
        comparisons=config.comparisons,
        transfer=config.transfer,
    )
    for warning in found.warnings:
        log.warn(warning)
    write_json(out / "report.json", _record(config.title, found, config.notes))
    write_text(out / "report.html", html_page(config.title, found, config.notes, bounds=_bounds(config.cases)))
    return Outcome(
        message=f"report: {out / 'report.html'}",
        counts={
            **counts,
            "results": len(found.results),
            "encoders": sum(len(group.encoders) for group in found.encoders),
            "cases": len(found.cases),
            "training_runs": len(found.training),
            "comparisons": len(found.pairs),
        },
    )


def _bounds(config: CasesConfig) -> Bounds:
    return Bounds(
        num_cases=config.num_cases,
        num_images=config.num_images,
        max_image_px=config.max_image_px,
        max_characters=config.max_characters,
        max_pictures_bytes=int(config.max_pictures_mib * 2**20),
    )


def _write_curation(config: ReportConfig, folder: Path, out: Path) -> dict[str, int]:
    found = gather_curation(
        folder,
        contamination=config.contamination,
        num_examples=config.num_examples,
        max_rows_read=config.max_rows_read,
    )
    write_text(out / "curation.html", curation_page(config.title, found, config.notes))
    return {
        "kept_examples": sum(map(len, found.kept.values())),
        "dropped_examples": sum(map(len, found.dropped.values())),
    }


def _record(title: str, found: Gathered, notes: tuple[str, ...]) -> dict[str, object]:
    """What the page says, for programs: `headline` holds one record per task and metric."""
    return {
        "schema_version": REPORT_VERSION,
        "title": title,
        "headline": headline_records(found.results),
        "comparisons": [
            {
                "task": pair.task,
                "metric": pair.metric,
                "first": found.evaluations[pair.first].name,
                "second": found.evaluations[pair.second].name,
                "difference": pair.difference.model_dump(mode="json"),
            }
            for pair in found.pairs
        ],
        "headline_columns": list(headline(found.results).columns),
        "training": [
            {
                "name": curve.name,
                "num_steps": len(curve.steps),
                "last_loss": curve.last_loss,
                "last": {key: series.last for key, series in sorted(curve.logged.items())},
            }
            for curve in found.training
        ],
        "data": [vars(source) for source in found.data],
        "encoders": [_protocol_record(group) for group in found.encoders],
        "notes": list(notes),
    }


def _protocol_record(group: ProtocolGroup) -> dict[str, object]:
    """All that was measured under one protocol; another's scores stand in a record of their own."""
    return {
        "protocol_sha256": group.protocol_sha256,
        "folders": [str(folder) for folder in group.folders],
        "results": headline_records(group.results),
        "comparisons": [each.model_dump(mode="json") for each in group.comparisons],
        "sets": [each.model_dump(mode="json") for each in group.sets],
    }

"""`osler report`: results and training runs to one page and one JSON file."""

from pathlib import Path

from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.files import write_json, write_text
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.report.gather import Gathered, gather
from osler.report.page import html_page
from osler.report.tables import headline, headline_records

REPORT_VERSION = 1


class ReportConfig(Config):
    """What a report tells of. Each folder is the output of the command it is named after.

    results: of `osler eval`. training: of `osler train`, in the order in which the stages ran.
    data: of `osler curate` or `osler synth`, for the licences. notes: what a reader has to know.
    """

    title: str = "Osler report"
    results: tuple[Path, ...]
    training: tuple[Path, ...] = ()
    data: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def parse(recipe: Recipe) -> ReportConfig:
    """The recipe, checked."""
    config = ReportConfig.parse(recipe)
    if not config.results:
        raise InputError("a report needs results", expected="at least one output folder of `osler eval`", got="none")
    return config


def inputs(config: ReportConfig) -> list[Path]:
    """The folders that the report reads."""
    return [*config.results, *config.training, *config.data]


def run(config: ReportConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Write `report.html` and `report.json` to `out`. Runs no model, so `device` plays no part."""
    found = gather(results=config.results, training=config.training, data=config.data)
    for warning in found.warnings:
        log.warn(warning)
    write_json(out / "report.json", _record(config.title, found, config.notes))
    write_text(out / "report.html", html_page(config.title, found, config.notes))
    return Outcome(
        message=f"report: {out / 'report.html'}",
        counts={"results": len(found.results), "cases": len(found.cases), "training_runs": len(found.training)},
    )


def _record(title: str, found: Gathered, notes: tuple[str, ...]) -> dict[str, object]:
    """What the page says, for programs: `headline` holds one record per task and metric."""
    return {
        "schema_version": REPORT_VERSION,
        "title": title,
        "headline": headline_records(found.results),
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
        "notes": list(notes),
    }

"""`osler score RUN --compare-parsers`: one saved run under the strict rules and under other programs' own."""

from pathlib import Path

from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.files import existing_file, write_json
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.evaluation.journal import read_predictions
from osler.evaluation.parsers import ParserScore, Spread, compare_parsers, find_spreads
from osler.evaluation.results import read_again
from osler.scoring.parser import load_parser, parser_names


class CompareParsersConfig(Config):
    """What is compared. parsers: by default every one there is. seed: of the draws of those that guess."""

    predictions: Path
    parsers: tuple[str, ...] = ()
    seed: int = 0


def parse(recipe: Recipe) -> CompareParsersConfig:
    """The recipe checked: known parsers. An empty list becomes the list of all."""
    config = CompareParsersConfig.parse(recipe)
    names = config.parsers or tuple(parser_names())
    for name in names:
        load_parser(name)
    if len(set(names)) != len(names):
        raise InputError("recipe: parsers must name each once", got=", ".join(names))
    return config.model_copy(update={"parsers": names})


def inputs(config: CompareParsersConfig) -> list[Path]:
    """The predictions."""
    return [existing_file(config.predictions)]


def compare(config: CompareParsersConfig) -> tuple[list[ParserScore], list[Spread]]:
    """The rows and their spreads. Raises InputError where no parser marks any answer of the run."""
    predictions = [read_again(prediction) for prediction in read_predictions(config.predictions)]
    rows = compare_parsers(predictions, config.parsers, seed=config.seed)
    if not rows:
        kinds = sorted({p.gold.kind for p in predictions})
        raise InputError(
            f"{config.predictions} holds no answer that these parsers mark",
            expected=", ".join(sorted({kind for name in config.parsers for kind in load_parser(name).measures})),
            got=", ".join(kinds) or "no prediction",
        )
    return rows, find_spreads(rows)


def run(config: CompareParsersConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Write `parsers.json`. `device` is not used: no model runs."""
    rows, spreads = compare(config)
    write_json(
        out / "parsers.json", {"rows": [r.model_dump() for r in rows], "spreads": [s.model_dump() for s in spreads]}
    )
    tasks = len({row.task for row in rows})
    message = f"{tasks} tasks under {len({row.parser for row in rows})} parsers"
    return Outcome(message, seeds={"draws": config.seed}, counts={"rows": len(rows)})


def table_lines(rows: list[ParserScore], spreads: list[Spread]) -> list[str]:
    """The comparison as lines of text."""
    head = ("parser", "value", "95 % interval", "n", "unparsed", "guessed", "left out", "to strict", "gained", "lost")
    lines: list[str] = []
    for spread in spreads:
        held = [r for r in rows if (r.task, r.kind, r.measure) == (spread.task, spread.kind, spread.measure)]
        cells = [head, *(_cells(row) for row in held)]
        widths = [max(len(cell[column]) for cell in cells) for column in range(len(head))]
        errors = f", {held[0].errors} not answered and left out" if held[0].errors else ""
        lines.append(f"{spread.task} ({spread.kind} answers, {spread.measure}{errors})")
        for cell in cells:
            words = [cell[0].ljust(widths[0]), *(cell[n].rjust(widths[n]) for n in range(1, len(head)))]
            lines.append("  " + "  ".join(words))
        width = spread.highest - spread.lowest
        ends = f"{spread.lowest_parser} {spread.lowest:.3f} to {spread.highest_parser} {spread.highest:.3f}"
        lines += [f"  spread over the same replies: {width:.3f} ({ends})", ""]
    return lines[:-1]


def _cells(row: ParserScore) -> tuple[str, ...]:
    interval = "" if row.ci_low is None or row.ci_high is None else f"[{row.ci_low:.3f}, {row.ci_high:.3f}]"
    return (
        row.parser if row.difference is None else f"compat:{row.parser}",
        "none" if row.value is None else f"{row.value:.3f}",
        interval,
        str(row.n),
        _share(row.unparsed, row.n),
        _share(row.guessed, row.n),
        str(row.left_out),
        "" if row.difference is None else f"{row.difference:+.3f}",
        str(row.gained),
        str(row.lost),
    )


def _share(count: int, n: int) -> str:
    return f"{100 * count / n:.1f} %" if n else "none"

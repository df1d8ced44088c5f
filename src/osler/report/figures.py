"""Plots as inline SVG: the same numbers give the same bytes, and the lines take the page's text colour."""

import io
import re
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from osler.report.gather import Curve, Series
from osler.schema.result import Interval, Result

_INK = "#010203"  # stands for the page's text colour, in light and in dark; replaced after drawing
_SERIES = (
    ("model", "o", "#1f77b4"),
    ("blind", "s", "#d95f02"),
    ("shuffled", "D", "#7570b3"),
    ("majority", "|", "#6b8e23"),
)
LINES = ("#1f77b4", "#d95f02", "#7570b3", "#6b8e23", "#c2185b", "#8c564b", "#17a2b8", "#b8860b", "#555555", "#2ca02c")
_ROW_INCHES = 0.55
_NAME_LETTERS = 60
_WIDTH_INCHES = 8.0
_TRAINING_INCHES = 11.0
_LOSS_INCHES = 2.2
_PANEL_INCHES = 1.25


@dataclass(frozen=True)
class Panel:
    """One quantity of a training log.

    Args:
        title: with its unit.
        keys: names in the log, each with the words of its line; a name that ends in `/` stands for all that begin so,
            and each line is then called by the rest of its name.
    """

    title: str
    keys: dict[str, str]

    def lines(self, curve: Curve) -> dict[str, Series]:
        """The lines that a run has, by their words."""
        found: dict[str, Series] = {}
        for key, words in self.keys.items():
            if key.endswith("/"):
                found |= {name.removeprefix(key): each for name, each in curve.logged.items() if name.startswith(key)}
            elif key in curve.logged:
                found[words] = curve.logged[key]
        return found


PANELS = (
    Panel("loss", {"loss": "training", "eval_loss": "held out"}),
    Panel("loss by dataset", {"loss/": ""}),
    Panel("held-out loss\nby dataset", {"eval_loss/": ""}),
    Panel("gradient norm", {"grad_norm": ""}),
    Panel("learning rate", {"learning_rate": "", "learning_rate/": ""}),
    Panel("tokens/s", {"tokens_per_s": ""}),
    Panel("tiles/s", {"tiles_per_s": ""}),
    Panel("MFU", {"mfu": ""}),
    Panel("fill", {"fill": ""}),
    Panel("router balance", {"router_balance": "", "router_balance/": ""}),
    Panel("busiest expert\nover mean", {"router_max_load": "", "router_max_load/": ""}),
    Panel("memory, GiB", {"memory_gib": ""}),
)


@dataclass(frozen=True)
class _Point:
    row: int
    value: float
    low: float
    high: float


def scores_figure(results: tuple[Result, ...]) -> str:
    """A dot with its 95 % whiskers for the model, and for each baseline that was measured, by task."""
    with matplotlib.rc_context(figure_style("scores")):
        figure = Figure(figsize=(_WIDTH_INCHES, 1.2 + _ROW_INCHES * len(results)), layout="constrained")
        axes = figure.add_subplot()
        for place, (name, marker, color) in enumerate(_SERIES):
            points = _points(results, name)
            if not points:
                continue
            shift = (place - (len(_SERIES) - 1) / 2) * 0.17
            axes.errorbar(
                [point.value for point in points],
                [point.row + shift for point in points],
                xerr=[[point.value - point.low for point in points], [point.high - point.value for point in points]],
                fmt=marker, color=color, capsize=2, markersize=6, linewidth=1.2, label=name,
            )  # fmt: skip
        axes.set_yticks(range(len(results)), [_short(name) for name in _names(results)])
        axes.set_ylim(len(results) - 0.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("score, with its 95 % interval")
        axes.grid(axis="x", linewidth=0.4, alpha=0.5)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside upper center", ncols=len(_SERIES), frameon=False)
        return svg(figure, "scores", scores_words(results))


def training_figure(curves: tuple[Curve, ...]) -> str:
    """What training runs logged, over steps: a column per run, a row per quantity that any of them has."""
    panels = [panel for panel in PANELS if any(panel.lines(curve) for curve in curves)]
    with matplotlib.rc_context(figure_style("training")):
        height = _LOSS_INCHES + _PANEL_INCHES * (len(panels) - 1)
        figure = Figure(figsize=(_TRAINING_INCHES, max(height, _LOSS_INCHES)), layout="constrained")
        ratios = [_LOSS_INCHES, *[_PANEL_INCHES] * (len(panels) - 1)]
        grid = figure.subplots(
            len(panels), len(curves), squeeze=False, sharex="col", gridspec_kw={"height_ratios": ratios}
        )
        for row, panel in zip(grid, panels, strict=True):
            for axes, curve in zip(row, curves, strict=True):
                _draw(axes, panel, curve)
            row[0].set_ylabel(panel.title)
            figure.align_ylabels(row[0])
        for column, curve in enumerate(curves):
            grid[0][column].set_title(curve.name, fontsize=9)
            grid[-1][column].set_xlabel("step")
        return svg(figure, "training", training_words(curves))


def _draw(axes: Any, panel: Panel, curve: Curve) -> None:
    lines = panel.lines(curve)
    for place, (name, series) in enumerate(lines.items()):
        color = LINES[place % len(LINES)]
        axes.plot(series.steps, series.values, color=color, linewidth=1.2, label=name or None, marker=_dot(series))
    if not lines:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "not logged", transform=axes.transAxes, ha="center", va="center", fontsize=8, alpha=0.6)
    if 1 < len(lines) <= len(LINES):
        axes.legend(fontsize=6, frameon=False, handlelength=1)
    axes.grid(linewidth=0.4, alpha=0.5)


def _dot(series: Series) -> str:
    """A line of one point would not be seen."""
    return "o" if len(series.values) == 1 else ""


def scores_words(results: tuple[Result, ...]) -> str:
    """What the plot of scores shows, in words."""
    parts = []
    for name_of_row, result in zip(_names(results), results, strict=True):
        said = [
            f"{name} {found.value:.2f}"
            for name, *_ in _SERIES
            if (found := _series(result, name)) and found.value is not None
        ]
        parts.append(f"{name_of_row}: {', '.join(said) or 'not measured'}")
    return "Scores by task. " + "; ".join(parts) + "."


def training_words(curves: tuple[Curve, ...]) -> str:
    """What the plot of training runs shows, in words."""
    parts = [
        f"{c.name}: from {c.losses[0]:.2f} to {c.last_loss:.2f} in {c.steps[-1]} steps"
        if c.losses
        else f"{c.name}: none logged"
        for c in curves
    ]
    others = [panel.title for panel in PANELS[1:] if any(panel.lines(curve) for curve in curves)]
    below = f" Below it, by step: {', '.join(others)}." if others else ""
    return "Training loss by step. " + "; ".join(parts) + "." + below


def _names(results: tuple[Result, ...]) -> list[str]:
    """What each row is called; with the model where there are several."""
    several = len({result.model for result in results}) > 1
    return [
        f"{result.model}: {result.task} ({result.metric})" if several else f"{result.task} ({result.metric})"
        for result in results
    ]


def _short(name: str) -> str:
    """A name that leaves room for the plot: of a long one the end, where task and metric stand."""
    return name if len(name) <= _NAME_LETTERS else f"...{name[-_NAME_LETTERS:]}"


def _series(result: Result, name: str) -> Interval | None:
    if name == "model":
        return Interval(value=result.value, ci_low=result.ci_low, ci_high=result.ci_high)
    return result.baseline.get(name)


def _points(results: tuple[Result, ...], name: str) -> list[_Point]:
    """The points of one series: only what was measured. Without an interval the whiskers have no length."""
    points = []
    for row, result in enumerate(results):
        found = _series(result, name)
        if found is None or found.value is None:
            continue
        low = found.value if found.ci_low is None else min(found.ci_low, found.value)
        high = found.value if found.ci_high is None else max(found.ci_high, found.value)
        points.append(_Point(row, found.value, low, high))
    return points


def figure_style(name: str) -> dict[str, object]:
    """Settings of a figure whose ids begin with `name`: the page's ink, text as text."""
    ink = dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK)
    return {
        **ink,
        "svg.hashsalt": name,
        "svg.fonttype": "none",
        "text.parse_math": False,
        "font.size": 9,
        "font.family": "sans-serif",
    }


def svg(figure: Figure, name: str, words: str) -> str:
    """The figure as an SVG element whose ids are its own, so that several fit on one page."""
    FigureCanvasSVG(figure)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Title": words})
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<svg") :].replace(_INK, "currentColor")
    drawn = re.sub(r'(?<=\bid=")', f"{name}-", drawn)
    drawn = re.sub(r'(?<=url\(#)|(?<=href="#)', f"{name}-", drawn)
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    return drawn.replace("<svg ", '<svg role="img" ', 1)

"""Plots as inline SVG: the same numbers give the same bytes, and the lines take the page's text colour."""

import io
import re
from dataclasses import dataclass

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from osler.report.gather import Curve
from osler.schema.result import Interval, Result

_INK = "#010203"  # stands for the page's text colour, in light and in dark; replaced after drawing
_SERIES = (
    ("model", "o", "#1f77b4"),
    ("blind", "s", "#d95f02"),
    ("shuffled", "D", "#7570b3"),
    ("majority", "|", "#6b8e23"),
)
_ROW_INCHES = 0.55
_WIDTH_INCHES = 8.0


@dataclass(frozen=True)
class _Point:
    row: int
    value: float
    low: float
    high: float


def scores_figure(results: tuple[Result, ...]) -> str:
    """A dot with its 95 % whiskers for the model, and for each baseline that was measured, by task."""
    with matplotlib.rc_context(_style("scores")):
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
        axes.set_yticks(range(len(results)), [f"{result.task} ({result.metric})" for result in results])
        axes.set_ylim(len(results) - 0.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("score, with its 95 % interval")
        axes.grid(axis="x", linewidth=0.4, alpha=0.5)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside upper center", ncols=len(_SERIES), frameon=False)
        return _svg(figure, "scores", scores_words(results))


def losses_figure(curves: tuple[Curve, ...]) -> str:
    """The training loss over steps, one small plot per run."""
    with matplotlib.rc_context(_style("losses")):
        figure = Figure(figsize=(_WIDTH_INCHES, 2.6), layout="constrained")
        for place, curve in enumerate(curves):
            axes = figure.add_subplot(1, len(curves), place + 1)
            axes.plot(curve.steps, curve.losses, color=_SERIES[0][2], linewidth=1.2)
            axes.set_title(curve.name, fontsize=9)
            axes.set_xlabel("step")
            if place == 0:
                axes.set_ylabel("loss")
            axes.grid(linewidth=0.4, alpha=0.5)
        return _svg(figure, "losses", losses_words(curves))


def scores_words(results: tuple[Result, ...]) -> str:
    """What the plot of scores shows, in words."""
    parts = []
    for result in results:
        said = [
            f"{name} {found.value:.2f}"
            for name, *_ in _SERIES
            if (found := _series(result, name)) and found.value is not None
        ]
        parts.append(f"{result.task} {result.metric}: {', '.join(said) or 'not measured'}")
    return "Scores by task. " + "; ".join(parts) + "."


def losses_words(curves: tuple[Curve, ...]) -> str:
    """What the plot of losses shows, in words."""
    parts = [
        f"{c.name}: from {c.losses[0]:.2f} to {c.last_loss:.2f} in {c.steps[-1]} steps"
        if c.losses
        else f"{c.name}: none logged"
        for c in curves
    ]
    return "Training loss by step. " + "; ".join(parts) + "."


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


def _style(name: str) -> dict[str, object]:
    ink = dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK)
    return {
        **ink,
        "svg.hashsalt": name,
        "svg.fonttype": "none",
        "text.parse_math": False,
        "font.size": 9,
        "font.family": "sans-serif",
    }


def _svg(figure: Figure, name: str, words: str) -> str:
    """The figure as an SVG element whose ids are its own, so that several fit on one page."""
    FigureCanvasSVG(figure)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Title": words})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    svg = re.sub(r'(?<=\bid=")', f"{name}-", svg)
    svg = re.sub(r'(?<=url\(#)|(?<=href="#)', f"{name}-", svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return svg.replace("<svg ", '<svg role="img" ', 1)

"""Plots of compared encoders: points with intervals by set, few-shot curves, critical-difference diagrams."""

import re

import matplotlib
from matplotlib.figure import Figure

from osler.report.encoders import ProtocolGroup
from osler.report.figures import LINES, figure_style, svg
from osler.report.tables import NOT_MEASURED
from osler.schema.encoders import ProbeComparison, Ranking
from osler.schema.result import Result

_SHOTS = re.compile(r"^few_shot_(\d+)$")
_ROW_INCHES, _WIDTH_INCHES = 0.16, 8.0
_INK = "#010203"


def points_figure(group: ProtocolGroup, probe: str, name: str) -> str:
    """A dot with its interval for each set and encoder."""
    sets = [each.name for each in group.sets]
    encoders = group.encoders
    with matplotlib.rc_context(figure_style(name)):
        height = 1.0 + len(sets) * (0.25 + _ROW_INCHES * len(encoders))
        figure = Figure(figsize=(_WIDTH_INCHES, height), layout="constrained")
        axes = figure.add_subplot()
        for place, encoder in enumerate(encoders):
            found = [
                (row, group.score(each, probe, encoder, metric=group.metric(each))) for row, each in enumerate(sets)
            ]
            shown = [(row, each) for row, each in found if each is not None and each.value is not None]
            if not shown:
                continue
            shift = (place - (len(encoders) - 1) / 2) * 0.7 / max(1, len(encoders))
            axes.errorbar(
                [each.value or 0.0 for _, each in shown],
                [row + shift for row, _ in shown],
                xerr=[[_below(each) for _, each in shown], [_above(each) for _, each in shown]],
                fmt="o", color=LINES[place % len(LINES)], capsize=2, markersize=5, linewidth=1.2, label=encoder,
            )  # fmt: skip
        axes.set_yticks(range(len(sets)), [f"{each} ({group.metric(each)})" for each in sets])
        axes.set_ylim(len(sets) - 0.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel(f"{probe}, with 95 % intervals over groups and seeds")
        axes.grid(axis="x", linewidth=0.4, alpha=0.5)
        figure.legend(loc="outside upper center", ncols=min(4, len(encoders)), frameon=False)
        return svg(figure, name, points_words(group, probe))


def points_words(group: ProtocolGroup, probe: str) -> str:
    """What the plot of points shows, in words."""
    parts = []
    for each in group.sets:
        found = ((name, group.score(each.name, probe, name, metric=group.metric(each.name))) for name in group.encoders)
        said = [f"{name} {record.value:.2f}" for name, record in found if record and record.value is not None]
        parts.append(f"{each.name}: {', '.join(said) or 'not measured'}")
    return f"Scores by set, {probe}. " + "; ".join(parts) + "."


def shots(group: ProtocolGroup) -> list[tuple[int, str]]:
    """The few-shot probes by number of shots."""
    return sorted((int(found[1]), probe) for probe in group.probes if (found := _SHOTS.match(probe)))


def few_shot_figure(group: ProtocolGroup, name: str) -> str:
    """A panel a set: the score by number of shots, a line with its band an encoder."""
    sizes = shots(group)
    with matplotlib.rc_context(figure_style(name)):
        columns = min(4, len(group.sets))
        rows = -(-len(group.sets) // columns)
        figure = Figure(figsize=(2.7 * columns + 0.6, 2.3 * rows + 0.6), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True).ravel()
        for axes, record in zip(grid, group.sets, strict=False):
            metric = group.metric(record.name)
            for place, encoder in enumerate(group.encoders):
                found = [(size, group.score(record.name, probe, encoder, metric=metric)) for size, probe in sizes]
                shown = [(size, each) for size, each in found if each is not None and each.value is not None]
                color = LINES[place % len(LINES)]
                xs = [size for size, _ in shown]
                axes.plot(xs, [each.value for _, each in shown], "o-", color=color, markersize=3, label=encoder)
                low = [(each.value or 0) - _below(each) for _, each in shown]
                high = [(each.value or 0) + _above(each) for _, each in shown]
                axes.fill_between(xs, low, high, color=color, alpha=0.15, linewidth=0)
            axes.set_title(f"{record.name} ({metric})", fontsize=9)
            axes.set_xscale("log", base=2)
            axes.set_xticks([size for size, _ in sizes], [str(size) for size, _ in sizes])
            axes.set_xlabel("images of each class")
            axes.grid(linewidth=0.4, alpha=0.5)
        for axes in grid[len(group.sets) :]:
            axes.set_visible(False)
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=min(4, len(labels)), frameon=False)
        return svg(figure, name, few_shot_words(group))


def few_shot_words(group: ProtocolGroup) -> str:
    """What the few-shot curves show, in words."""
    sizes = shots(group)
    parts = []
    for record in group.sets:
        metric = group.metric(record.name)
        for encoder in group.encoders:
            found = (group.score(record.name, probe, encoder, metric=metric) for _, probe in sizes)
            said = ", ".join(NOT_MEASURED if not each or each.value is None else f"{each.value:.2f}" for each in found)
            parts.append(f"{record.name}, {encoder}: {said}")
    return f"Scores at {', '.join(str(size) for size, _ in sizes)} images of each class. " + "; ".join(parts) + "."


def ranks_figure(comparison: ProbeComparison, name: str) -> str:
    """A critical-difference diagram: mean ranks on a line, and bars over encoders that are not told apart."""
    ranking = comparison.ranking
    if ranking is None or ranking.critical_difference is None:
        return ""
    num = len(ranking.encoders)
    with matplotlib.rc_context(figure_style(name)):
        lines = (num + 1) // 2
        figure = Figure(figsize=(_WIDTH_INCHES, 1.2 + 0.28 * (lines + len(ranking.groups))), layout="constrained")
        axes = figure.add_subplot()
        bars = len(ranking.groups)
        for place, (encoder, rank) in enumerate(zip(ranking.encoders, ranking.mean_ranks, strict=True)):
            is_left = place < lines
            depth = bars + 1 + (place if is_left else num - 1 - place)
            end = 1 - 0.12 * (num - 1) if is_left else num + 0.12 * (num - 1)
            axes.plot([rank, rank, end], [0, depth, depth], color=_INK, linewidth=0.9)
            said = f"{encoder} {rank:.2f}"
            axes.text(end, depth, f"{said} " if is_left else f" {said}", ha="right" if is_left else "left", va="center")
        for row, members in enumerate(ranking.groups):
            low, high = ranking.mean_ranks[members[0]], ranking.mean_ranks[members[-1]]
            axes.plot([low - 0.03, high + 0.03], [row + 0.6] * 2, color=LINES[1], linewidth=4, solid_capstyle="butt")
        axes.plot([1, num], [0, 0], color=_INK, linewidth=1.2)
        for rank in range(1, num + 1):
            axes.plot([rank] * 2, [0, -0.25], color=_INK, linewidth=1)
            axes.text(rank, -0.45, str(rank), ha="center", va="bottom")
        width = min(ranking.critical_difference, num - 1)
        axes.plot([1, 1 + width], [-1.6] * 2, color=LINES[0], linewidth=2)
        beyond = "" if ranking.critical_difference <= num - 1 else " (longer than the axis)"
        axes.text(1, -1.8, f"critical difference {ranking.critical_difference:.2f}{beyond}", ha="left", va="bottom")
        axes.set_ylim(bars + 1.8 + lines, -3)
        axes.set_xlim(1 - 0.6 * num, num + 0.6 * num)
        axes.set_axis_off()
        return svg(figure, name, ranks_words(comparison.probe, ranking))


def ranks_words(probe: str, ranking: Ranking) -> str:
    """What the diagram shows, in words."""
    order = ", ".join(f"{name} {rank:.2f}" for name, rank in zip(ranking.encoders, ranking.mean_ranks, strict=True))
    return f"Mean ranks, {probe}: {order}. {ranking.verdict}"


def _below(each: Result) -> float:
    return 0.0 if each.value is None or each.ci_low is None else max(0.0, each.value - each.ci_low)


def _above(each: Result) -> float:
    return 0.0 if each.value is None or each.ci_high is None else max(0.0, each.ci_high - each.value)

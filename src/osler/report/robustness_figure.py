"""Plot of robustness: a panel for all corruptions and one for each, the score by severity, a line an encoder."""

import matplotlib
from matplotlib.figure import Figure

from osler.report.figures import LINES, figure_style, svg
from osler.report.further import CLEAN, SectionResults
from osler.report.tables import number
from osler.schema.result import Result

_COLUMNS = 5
_ALL = "severity"
_METRIC = "balanced_accuracy"
_PANEL_INCHES = (2.1, 1.55)


def robustness_figure(found: SectionResults, set_name: str, name: str) -> str:
    """Balanced accuracy of one set by severity, 0 being the clean images, with 95 % intervals."""
    panels = [_ALL, *corruptions(found, set_name)]
    rows = -(-len(panels) // _COLUMNS)
    with matplotlib.rc_context(figure_style(name)):
        size = (_PANEL_INCHES[0] * _COLUMNS, _PANEL_INCHES[1] * rows + 0.6)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, _COLUMNS, squeeze=False, sharex=True, sharey=True).ravel()
        for axes, panel in zip(grid, panels, strict=False):
            for place, encoder in enumerate(found.encoders):
                shown = line(found, set_name, panel, encoder=encoder)
                if not shown:
                    continue
                color = LINES[place % len(LINES)]
                at = [severity for severity, _ in shown]
                axes.plot(at, [each.value for _, each in shown], "o-", color=color, markersize=2.5, label=encoder)
                bounded = [(s, each) for s, each in shown if each.ci_low is not None and each.ci_high is not None]
                low, high = [each.ci_low for _, each in bounded], [each.ci_high for _, each in bounded]
                axes.fill_between([s for s, _ in bounded], low, high, color=color, alpha=0.15, linewidth=0)
            chance = _chance(found, set_name)
            if chance is not None:
                axes.axhline(chance, linestyle=":", linewidth=0.8, color=LINES[8])
            axes.set_title("all corruptions" if panel == _ALL else panel.replace("_", " "), fontsize=8)
            axes.grid(linewidth=0.3, alpha=0.5)
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        figure.supxlabel("severity, 0 is clean", fontsize=8)
        figure.supylabel("balanced accuracy", fontsize=8)
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=min(4, max(1, len(labels))), frameon=False)
        return svg(figure, name, robustness_words(found, set_name))


def robustness_words(found: SectionResults, set_name: str) -> str:
    """What the first panel shows, in words."""
    parts = []
    for encoder in found.encoders:
        values = ", ".join(
            f"{severity}: {number(each.value)}" for severity, each in line(found, set_name, _ALL, encoder=encoder)
        )
        parts.append(f"{encoder} {values or 'not measured'}")
    return f"{set_name}: balanced accuracy by severity, a mean over corruptions. " + "; ".join(parts) + "."


def corruptions(found: SectionResults, set_name: str) -> list[str]:
    """The corruptions of a set."""
    parts = [rest.split("/") for rest in found.rests(set_name)]
    return sorted({part[0] for part in parts if len(part) == 2 and part[0] != _ALL})


def line(found: SectionResults, set_name: str, panel: str, *, encoder: str) -> list[tuple[int, Result]]:
    """The measured points of a line: severity and record, clean first."""
    rests = [(0, CLEAN)]
    for rest in found.rests(set_name):
        name, _, severity = rest.partition("/")
        if name == panel and severity:
            rests.append((int(severity), rest))
    records = (
        (severity, found.record(set_name, rest, metric=_METRIC, encoder=encoder)) for severity, rest in sorted(rests)
    )
    return [(severity, each) for severity, each in records if each is not None and each.value is not None]


def _chance(found: SectionResults, set_name: str) -> float | None:
    for encoder in found.encoders:
        clean = found.record(set_name, CLEAN, metric=_METRIC, encoder=encoder)
        if clean is not None and "chance" in clean.baseline:
            return clean.baseline["chance"].value
    return None

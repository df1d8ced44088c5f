"""The part of a report that compares encoders, protocol by protocol."""

from html import escape

from osler.report.elements import html_table, section, words
from osler.report.encoder_figures import (
    few_shot_figure,
    few_shot_words,
    points_figure,
    points_words,
    ranks_figure,
    ranks_words,
    shots,
)
from osler.report.encoder_tables import (
    all_metrics_table,
    copies_table,
    means_table,
    others_table,
    pairs_table,
    ranks_text,
    scores_table,
    sets_table,
    wilcoxon_table,
)
from osler.report.encoders import ProtocolGroup, refusal
from osler.report.further_page import further_parts
from osler.schema.encoders import ProbeComparison

# The order of a page; others come first.
_PROBES = {"linear": 1, "knn": 2, "fine_tune": 3}


def encoder_sections(groups: tuple[ProtocolGroup, ...]) -> str:
    """A section for each protocol; before them, where there are several, why they are not ranked together."""
    if not groups:
        return ""
    said = refusal(groups)
    first = section("Encoders under different protocols", words(said)) if said else ""
    return first + "".join(_protocol(group, number) for number, group in enumerate(groups))


def _protocol(group: ProtocolGroup, number: int) -> str:
    parts = [
        words(
            f"Protocol {group.protocol_sha256}. Every encoder was measured by this one recipe: resizing, splits, "
            "seeds, grids, epochs and rates. Sets with several labels an image are ranked by AUROC, the others by "
            "macro-F1."
        )
    ]
    for record in group.sets:
        parts += [words(f"Set {record.name}: {note}.") for note in record.notes]
    for warning in group.warnings:
        parts.append(words(f"Left out of the comparison: {warning}."))
    if shots(group):
        parts.append(_figure(few_shot_figure(group, f"shots-{number}"), few_shot_words(group)))
    parts.append(html_table(means_table(group)))
    by_shots = {probe for _, probe in shots(group)}
    ranked = sorted(group.comparisons, key=lambda each: (each.probe in by_shots, _PROBES.get(each.probe, 0)))
    for place, comparison in enumerate(ranked):
        body = _probe(group, comparison, f"{number}-{place}")
        title = escape(comparison.probe.replace("_", " "))
        if comparison.probe in by_shots:
            parts.append(f"<details><summary>{title}: scores, pairs and ranks</summary>{body}</details>")
        else:
            parts.append(f"<h3>{title}</h3>{body}")
    parts.append(html_table(wilcoxon_table(group)))
    parts.append(html_table(sets_table(group)))
    if any(each.copies for each in group.sets):
        parts.append(html_table(copies_table(group)))
    parts.append(further_parts(group.results, group.folders, number))
    if group.others:
        parts.append(html_table(others_table(group)))
    every = html_table(all_metrics_table(group))
    parts.append(f"<details><summary>Every score with its values by seed</summary>{every}</details>")
    return section(f"Encoders, protocol {group.protocol_sha256[:12]}", "".join(parts))


def _probe(group: ProtocolGroup, comparison: ProbeComparison, number: str) -> str:
    probe = comparison.probe
    parts = [
        html_table(scores_table(group, probe)),
        _figure(points_figure(group, probe, f"points-{number}"), points_words(group, probe)),
    ]
    if comparison.pairs:
        parts.append(html_table(pairs_table(comparison)))
    if comparison.ranking is not None:
        drawn = ranks_figure(comparison, f"ranks-{number}")
        if drawn:
            parts.append(_figure(drawn, ranks_words(probe, comparison.ranking)))
        parts.append(words(ranks_text(comparison)))
    return "".join(parts)


def _figure(svg: str, said: str) -> str:
    return f'<figure aria-label="{escape(said)}">{svg}</figure>'

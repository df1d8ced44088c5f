"""The page of a curation: one HTML file that asks nothing of the network. All text from files is escaped."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import get_args

from osler.report.curation import Curation, Scores
from osler.report.examples import Example
from osler.report.page import html_table
from osler.report.tables import Table
from osler.schema.licence import Permission, licence_of

_STYLE = Path(__file__).with_name("page.css")
_MAX_WORDS = 420
_WIDTH, _ROW = 760, 26
_LEFT, _RIGHT = 300, 90


def curation_page(title: str, found: Curation, notes: tuple[str, ...]) -> str:
    """The whole page."""
    sections = [
        _section("What became of the rows", _funnel(found) + html_table(_steps_table(found))),
        _section("Scores of what was dropped", _scores(found.scores)),
        _section("Dropped", _groups(found.dropped, "Nothing was dropped.")),
        _section("Kept", _groups(found.kept, "No sample was kept.")),
        _section("Weights", html_table(_mix_table(found))),
        _section("Licences", html_table(_licence_table(found))),
        _section("Overlap", _overlap(found)),
        _section("Notes", "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>") if notes else "",
        _made(found),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def funnel_rows(found: Curation) -> list[tuple[str, int]]:
    """How many rows are left over all sets: those read, then after each rule in the order of the rules."""
    left = sum(facts["rows"] for sets in found.mixture["splits"].values() for facts in sets.values())
    rows = [("rows read", left)]
    for rule in dict.fromkeys(found.dropped):
        left -= sum(step.dropped for step in found.steps if step.rule == rule)
        rows.append((f"after {rule}", left))
    kept = sum(facts["samples"] for sets in found.mixture["splits"].values() for facts in sets.values())
    return [*rows, ("kept", kept)]


def _funnel(found: Curation) -> str:
    rows = funnel_rows(found)
    most = max(count for _, count in rows) or 1
    room = _WIDTH - _LEFT - _RIGHT
    bars = []
    for place, (name, count) in enumerate(rows):
        y, width = place * _ROW, room * max(count, 0) / most
        bars.append(
            f'<text x="{_LEFT - 8}" y="{y + 17}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{_LEFT}" y="{y + 4}" width="{width:.1f}" height="{_ROW - 8}" class="bar"/>'
            f'<text x="{_LEFT + width + 6:.1f}" y="{y + 17}">{count:,}</text>'
        )
    words = "Rows left after each rule: " + "; ".join(f"{name} {count:,}" for name, count in rows)
    return _svg("".join(bars), _WIDTH, _ROW * len(rows), words)


def _steps_table(found: Curation) -> Table:
    read = {
        (split, name): facts["rows"] for split, sets in found.mixture["splits"].items() for name, facts in sets.items()
    }
    rows = tuple(
        (
            s.dataset,
            s.split,
            s.rule,
            s.kind,
            f"{s.dropped:,}",
            _share(s.dropped, read[s.split, s.dataset]),
            f"{s.left:,}",
        )
        for s in found.steps
    )
    columns = ("set", "split", "rule", "reason", "dropped", "of rows read", "rows left")
    return Table(
        "Drops in the order of the rules, by set and split. drops.parquet has a row for each.", columns, rows, 4
    )


def _scores(scores: Sequence[Scores]) -> str:
    if not scores:
        return "<p>No rule that dropped something gave scores.</p>"
    plots = "".join(f"<div>{_histogram(each)}</div>" for each in scores)
    return (
        "<p>Each plot counts the dropped samples by score; the line is the limit. What was kept lies beyond it and has "
        f'no score on record.</p><div class="plots">{plots}</div>'
    )


def _histogram(scores: Scores, *, num_bins: int = 24) -> str:
    """Bars of counts over the range of the scores and their limit."""
    values = scores.values
    ends = [values[0], values[-1], *([scores.limit] if scores.limit is not None else [])]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    counts = [0] * num_bins
    for value in values:
        counts[min(int((value - low) / span * num_bins), num_bins - 1)] += 1
    width, height, top = 300, 90, 34
    step = width / num_bins
    bars = "".join(
        f'<rect x="{10 + place * step:.1f}" y="{top + height * (1 - count / max(counts)):.1f}" '
        f'width="{step - 1:.1f}" height="{height * count / max(counts):.1f}" class="bar"/>'
        for place, count in enumerate(counts)
        if count
    )
    limit = ""
    if scores.limit is not None:
        x = 10 + width * (scores.limit - low) / span
        limit = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 4}" y2="{top + height}" class="limit"/>'
    said = f", limit {scores.limit:g}" if scores.limit is not None else ""
    title = f"{scores.rule}: {scores.kind}"
    words = f"{title}: {len(values):,} dropped, from {values[0]:.4g} to {values[-1]:.4g}{said}"
    text = (
        f'<text x="10" y="12" class="head">{escape(scores.rule)}</text>'
        f'<text x="10" y="26">{escape(scores.kind)} ({len(values):,}{said})</text>'
        f'<text x="10" y="{top + height + 14}">{low:.4g}</text>'
        f'<text x="{10 + width}" y="{top + height + 14}" text-anchor="end">{high:.4g}</text>'
    )
    return _svg(bars + limit + text, width + 20, top + height + 20, words)


def _groups(groups: dict[str, tuple[Example, ...]], empty: str) -> str:
    shown = [
        f'<h3>{escape(name)}</h3><div class="cases">{"".join(map(_example, examples))}</div>\n'
        for name, examples in groups.items()
    ]
    return "".join(shown) or f"<p>{empty}</p>"


def _example(example: Example) -> str:
    picture = f'<p class="absent">{escape(example.absent)}</p>' if example.absent else ""
    if example.picture:
        picture = f'<img alt="{escape(f"First image of {example.id}")}" src="{example.picture}">' + picture
    reason = f'<p class="{"wrong" if example.rule else "right"}">{escape(_cut(example.reason))}</p>'
    facts = {"id": example.id, "repeats": example.matched_id, "licence": example.licence}
    listed = "".join(f"<dt>{name}</dt><dd>{escape(fact)}</dd>" for name, fact in facts.items() if fact)
    return (
        f'<article class="case">{picture}{reason if example.reason else ""}<p>{escape(_cut(example.words))}</p>'
        f"<dl>{listed}</dl></article>\n"
    )


def _mix_table(found: Curation) -> Table:
    rows = tuple(
        (
            name,
            split,
            f"{facts['rows']:,}",
            f"{facts['samples']:,}",
            _share(facts["samples"], facts["rows"]),
            f"{facts['weight']:,.6g}",
            f"{facts['share']:.1%}",
            f"{facts['epochs']:.2f}",
        )
        for split, sets in found.mixture["splits"].items()
        for name, facts in sets.items()
    )
    columns = ("set", "split", "rows read", "samples kept", "kept", "weight", "share of draws", "epochs")
    return Table("What each set holds and how often a training by weights draws it.", columns, rows, 2)


def _licence_table(found: Curation) -> Table:
    rows = tuple(
        (name, split, licence, _permits(licence), f"{count:,}")
        for split, sets in found.mixture["splits"].items()
        for name, facts in sets.items()
        for licence, count in facts["licences"].items()
    )
    caption = f"Licences of the kept samples; declared use: {found.mixture['use']}."
    return Table(caption, ("set", "split", "licence", "permits", "samples"), rows, 4)


def _permits(spelling: str) -> str:
    permits = licence_of(spelling).permits
    return ", ".join(name for name in get_args(Permission) if name in permits) or "nothing that is known"


def _overlap(found: Curation) -> str:
    rows = tuple((pair.replace("|", " and "), f"{count:,}") for pair, count in found.overlap.items())
    parts = (
        [html_table(Table("Image files that two splits share.", ("splits", "shared images"), rows, 1))] if rows else []
    )
    if found.contamination is None:
        parts.append("<p>Not compared with evaluation sets here; <code>osler curate check</code> does so.</p>")
    else:
        parts.append(html_table(_contamination_table(found.contamination)))
    return "".join(parts)


def _contamination_table(summary: dict[str, object]) -> Table:
    verdicts = ("clean", "flagged", "doubtful", "unreadable")
    sets: dict[str, dict[str, object]] = summary["datasets"]  # type: ignore[assignment]
    rows = tuple(
        (name, *(f"{count:,}" for count in [facts["items"], *(facts["verdicts"].get(v, 0) for v in verdicts)]))  # type: ignore[attr-defined]
        for name, facts in sorted(sets.items())
    )
    return Table("Evaluation items that the training split may hold.", ("set", "items", *verdicts), rows, 1)


def _made(found: Curation) -> str:
    asked = tuple(
        (rule, *(f"{count:,}" for count in counts.values())) for rule, counts in sorted(found.answers.items())
    )
    columns = ("rule", "answered", "without a readable answer")
    table = (
        html_table(Table("Questions to a model; asked/*.parquet has each answer.", columns, asked, 1)) if asked else ""
    )
    steps = "".join(
        f"<li><code>{escape(name)}</code> {escape(_options(options))}</li>"
        for entry in found.recipe.get("operators", ())
        for name, options in entry.items()
    )
    return _section("How it was made", f"{table}<ol>{steps}</ol><p>recipe.yaml beside it repeats the run.</p>")


def _options(options: dict[str, object]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in options.items())


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "0.0%"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_WORDS else f"{text[:_MAX_WORDS]} ..."


def _svg(inner: str, width: float, height: float, words: str) -> str:
    return (
        f'<figure><svg role="img" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'aria-label="{escape(words)}">{inner}</svg></figure>\n'
    )


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>\n"

"""The report's page: one HTML file that asks nothing of the network. All text from files is escaped."""

import base64
import re
from html import escape
from pathlib import Path

from osler.core.files import existing_file
from osler.report.figures import scores_figure, scores_words, training_figure, training_words
from osler.report.gather import Case, Gathered
from osler.report.tables import (
    NOT_MEASURED,
    Table,
    data_table,
    dataset_losses_table,
    headline,
    published_notes,
    runs_table,
    training_table,
    versions_table,
)

_MIME = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
_INTERVAL = re.compile(r"(?<=\d) (\([\d.-]+ to [\d.-]+\))$")
_STYLE = Path(__file__).with_name("page.css")


def html_page(title: str, found: Gathered, notes: tuple[str, ...]) -> str:
    """The whole page."""
    sections = [
        _scores(found),
        _training(found),
        _cases(found.cases),
        _section("Data", html_table(data_table(found.data)) if found.data else _words(NOT_MEASURED)),
        _notes(found, notes),
        _made(found),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _scores(found: Gathered) -> str:
    words = escape(scores_words(found.results))
    plot = f'<figure aria-label="{words}">{scores_figure(found.results)}</figure>'
    return _section("Scores", html_table(headline(found.results)) + plot)


def _training(found: Gathered) -> str:
    if not found.training:
        return _section("Training", _words("The recipe names no training run."))
    words = escape(training_words(found.training))
    plot = f'<figure aria-label="{words}">{training_figure(found.training)}</figure>'
    by_dataset = dataset_losses_table(found.training)
    tables = [training_table(found.training), *([by_dataset] if by_dataset.rows else [])]
    return _section("Training", "".join(map(html_table, tables)) + plot)


def _cases(cases: tuple[Case, ...]) -> str:
    if not cases:
        return _section("Example cases", _words("The evaluation kept no example cases."))
    return _section("Example cases", f'<div class="cases">{"".join(_case(case) for case in cases)}</div>')


def _case(case: Case) -> str:
    pictures = "".join(_picture(case, place, name) for place, name in enumerate(case.images, start=1))
    gold = case.gold if case.gold_text in ("", case.gold) else f"{case.gold}: {case.gold_text}"
    rows = [("truth", gold), *((("options", "; ".join(case.options)),) if case.options else ())]
    for condition, said in case.predictions.items():
        parsed = said.parsed if said.parsed is not None else f"({said.status}) {said.raw}"
        rows.append((condition, parsed))
    answers = "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in rows)
    return (
        f'<article class="case"><h3>{escape(case.task)}: <span class="{case.outcome}">{case.outcome}</span></h3>'
        f"{pictures}<p>{escape(case.question)}</p><dl>{answers}</dl></article>\n"
    )


def _picture(case: Case, place: int, name: str) -> str:
    path = existing_file(case.folder / name)
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    alt = f"Image {place} of {len(case.images)} of item {case.item_id}"
    return f'<img alt="{escape(alt)}" src="data:{_MIME[path.suffix.lower()]};base64,{data}">'


def _notes(found: Gathered, notes: tuple[str, ...]) -> str:
    scores = [*(note for result in found.results for note in result.notes), *published_notes(found.results)]
    said = dict.fromkeys([*notes, *scores, *found.warnings])
    if not said:
        return ""
    return _section("Notes", f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in said)}</ul>")


def _made(found: Gathered) -> str:
    commands = "".join(
        f"<li><code>osler {escape(manifest.command[1])} {escape(folder)}/recipe.yaml --out NEW_FOLDER</code></li>"
        for folder, manifest in found.manifests
        if len(manifest.command) > 1
    )
    again = (
        "<p>Each folder holds its resolved recipe. These commands make the same folders again; predictions are kept, "
        f"so <code>osler score</code> makes the scores again without the model.</p><ol>{commands}</ol>"
    )
    return _section(
        "How it was made", html_table(runs_table(found.manifests)) + again + html_table(versions_table(found.manifests))
    )


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>\n"


def _words(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _below(interval: re.Match[str]) -> str:
    """An interval goes under its value: side by side they are wider than a page."""
    return f" <small>{interval.group(1)}</small>"


def html_table(table: Table) -> str:
    """A table with its caption; columns of numbers stand at the right."""

    def cell(tag: str, place: int, text: str) -> str:
        number = ' class="number"' if place >= table.first_number else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{number}>{_INTERVAL.sub(_below, escape(text))}</{tag}>"

    head = "".join(cell("th", place, name) for place, name in enumerate(table.columns))
    rows = "".join(
        f"<tr>{''.join(cell('td', place, text) for place, text in enumerate(row))}</tr>\n" for row in table.rows
    )
    return (
        f'<div class="scroll"><table>\n<caption>{escape(table.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody>\n</table></div>\n"
    )

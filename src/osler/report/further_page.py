"""The part of a report that shows what encoders were asked beside the probes."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from osler.report.elements import html_table, words
from osler.report.further import SectionResults, by_section
from osler.report.further_tables import (
    conditions_table,
    prompts_table,
    relative_table,
    retrieval_table,
    understanding_table,
)
from osler.report.pictures import Pictures
from osler.report.robustness_figure import robustness_figure, robustness_words
from osler.schema.result import Result

_TITLES = {
    "zero_shot": "Zero-shot prompts",
    "retrieval": "Image-text retrieval",
    "robustness": "Robustness",
    "understanding": "Probes of understanding",
}
_SHEET_PX = 2400
_SHEETS_BYTES = 4 * 2**20


def further_parts(results: Sequence[Result], folders: Sequence[Path], number: int) -> str:
    """A heading with tables and figures for each section that was measured; "" where there is none."""
    pictures = Pictures(max_px=_SHEET_PX, max_bytes=_SHEETS_BYTES)
    parts = []
    for place, found in enumerate(by_section(results)):
        parts.append(f"<h3>{escape(_TITLES[found.section])}</h3>")
        if found.section == "zero_shot":
            parts.append(html_table(prompts_table(found)))
        elif found.section == "retrieval":
            parts += [html_table(retrieval_table(found)), _notes(found)]
        elif found.section == "robustness":
            parts += _robustness(found, folders, pictures, f"{number}-{place}")
        else:
            deep = html_table(understanding_table(found, deep=True))
            parts.append(html_table(understanding_table(found, deep=False)))
            parts.append(f"<details><summary>By finding</summary>{deep}</details>")
    return "".join(parts)


def _robustness(found: SectionResults, folders: Sequence[Path], pictures: Pictures, number: str) -> list[str]:
    parts = []
    for place, name in enumerate(found.names):
        said = robustness_words(found, name)
        drawn = robustness_figure(found, name, f"robust-{number}-{place}")
        parts += [html_table(relative_table(found, name)), f'<figure aria-label="{escape(said)}">{drawn}</figure>']
        sheet = next((path for folder in folders if (path := folder / "sheets" / f"{name}.jpg").is_file()), None)
        if sheet is not None:
            shown = pictures.element(sheet, f"{name}: one test image under each corruption, clean and by severity")
            parts.append(f"<details><summary>{escape(name)}: what the corruptions look like</summary>{shown}</details>")
        every = html_table(conditions_table(found, name))
        parts.append(f"<details><summary>{escape(name)}: every corruption and severity</summary>{every}</details>")
    return parts


def _notes(found: SectionResults) -> str:
    notes = dict.fromkeys(f"{each.task.partition('/')[0]}: {note}" for each in found.results for note in each.notes)
    return "".join(words(f"{note}.") for note in notes)

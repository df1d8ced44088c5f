"""Elements of a page: its frame, sections and tables. All text that comes in is escaped here, but for `body`."""

import re
from html import escape
from pathlib import Path

from osler.report.tables import Table

_INTERVAL = re.compile(r"(?<=\d) (\([\d.-]+ to [\d.-]+\))$")
_STYLE = Path(__file__).with_name("page.css")
# A page may show pictures that it holds and use its own style. It runs no script, whatever an answer says.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(title: str, body: str, *, style: str = "") -> str:
    """A whole HTML file that asks nothing of the network; `style` is added to that of every page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE.read_text(encoding='utf-8')}{style}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{body}</main>\n</body>\n</html>\n"
    )


def section(title: str, body: str) -> str:
    """A part of the page under its heading."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>\n"


def words(text: str) -> str:
    """A paragraph."""
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

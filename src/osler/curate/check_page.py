"""The page of a contamination check: one HTML file that asks nothing of the network. All text is escaped."""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from PIL import Image

from osler.curate.check_matches import LEVELS, Found, MatchOf
from osler.curate.duplicates.evaluation_index import EvaluationIndex
from osler.media.hashing import read_gray
from osler.store.reader import Store

MAX_SHOWN = 60
_THUMB_PX = 192
_STYLE = """
body { margin: 0; background: #f6f7f8; color: #1a1f24; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; background: #fff; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border: 1px solid #d8dde2; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .4rem 0; color: #4a5560; }
.scroll { overflow-x: auto; }
article { background: #fff; border: 1px solid #d8dde2; border-radius: 6px; padding: .8rem; margin: .8rem 0; }
article h3 { margin: 0 0 .4rem; font-size: 1rem; overflow-wrap: anywhere; }
.pair { display: flex; gap: 1rem; flex-wrap: wrap; }
figure { margin: 0; }
figcaption { color: #4a5560; font-size: .85rem; max-width: 14rem; overflow-wrap: anywhere; }
img { max-width: 192px; max-height: 192px; background: #000; }
mark { background: #ffe08a; }
.doubtful { color: #8a5a00; }
.flagged { color: #a11a1a; }
"""


def contamination_page(
    index: EvaluationIndex, found: Found, store: Store, *, summary: dict[str, Any], train: str
) -> str:
    """The whole page. Of each level at most 60 matches are shown; the tables beside the page hold all.

    Args:
        index: what was compared with.
        found: the matches.
        store: the training shards, from which the pictures are read.
        summary: what `contamination.json` holds.
        train: how the training data is called.
    """
    title = f"Evaluation items in {train}"
    sections = [_summary_section(summary)]
    for level, heading in (("image", "Images"), ("text", "Words"), ("source", "Sources")):
        matches = [match for match in found.matches if LEVELS[match.rule] == level]
        sections.append(_level_section(heading, matches, index, store))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>\n"
        f"{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _summary_section(summary: dict[str, Any]) -> str:
    verdicts = ("clean", "flagged", "doubtful", "unreadable")
    rows = [
        [name, entry["items"], *(entry["verdicts"].get(verdict, 0) for verdict in verdicts)]
        for name, entry in sorted(summary["datasets"].items())
    ]
    by_rule = [
        [name, LEVELS[rule], rule, number]
        for name, entry in sorted(summary["datasets"].items())
        for rule, number in sorted(entry["rules"].items(), key=lambda pair: list(LEVELS).index(pair[0]))
    ]
    read = (
        f"<p>Compared with {summary['train_samples']} training samples and {summary['train_images']} distinct images, "
        f"of which {summary['train_images_unreadable']} could not be read.</p>"
    )
    return (
        read
        + _table("Evaluation items", ["dataset", "items", *verdicts], rows)
        + _table("Items flagged by each rule", ["dataset", "level", "rule", "items"], by_rule)
    )


def _level_section(heading: str, matches: Sequence[MatchOf], index: EvaluationIndex, store: Store) -> str:
    if not matches:
        return f"<section><h2>{heading}</h2><p>No match.</p></section>\n"
    # Sure ones first, then a file or a picture once for all the questions about it.
    ordered = sorted(matches, key=lambda match: match.is_doubtful)
    groups: dict[tuple[object, ...], list[MatchOf]] = {}
    for match in ordered:
        key = (match.rule, match.image, match.train_id) if match.image >= 0 else (match.rule, match.item)
        groups.setdefault(key, []).append(match)
    shown = list(groups.values())[:MAX_SHOWN]
    articles = "".join(_article(group, index, store) for group in shown)
    rest = len(groups) - len(shown)
    more = f"<p>{rest} more are in contamination.parquet.</p>" if rest else ""
    return f"<section><h2>{heading}</h2>\n{articles}{more}</section>\n"


def _article(group: list[MatchOf], index: EvaluationIndex, store: Store) -> str:
    match = group[0]
    verdict = "doubtful" if match.is_doubtful else "flagged"
    names = ", ".join(index.items[one.item].id for one in group[:3]) + (
        f" and {len(group) - 3} more" if group[3:] else ""
    )
    head = (
        f'<h3><span class="{verdict}">{verdict}</span>: {escape(names)}</h3>'
        f"<p>{escape(match.rule)}, score {match.score:.3f}, {match.num} in the training data, the nearest "
        f"{escape(match.train_id)}</p>"
    )
    return f"<article>{head}{_evidence(match, index, store)}</article>\n"


def _evidence(match: MatchOf, index: EvaluationIndex, store: Store) -> str:
    if match.place is not None:
        known = Image.fromarray(index.images[match.image].gray)
        other = Image.fromarray(read_gray(store.read_bytes(*match.place), min_px=_THUMB_PX, window=match.window))
        item = index.items[match.item].id
        pair = _figure(known, f"evaluation: {item}") + _figure(other, f"training: {match.train_id}")
        return f'<div class="pair">{pair}</div>'
    if match.before or match.after or LEVELS[match.rule] == "text":
        return f"<p>{escape(match.before)} <mark>{escape(match.shared)}</mark> {escape(match.after)}</p>"
    return f"<p><mark>{escape(match.shared)}</mark></p>"


def _figure(picture: Image.Image, words: str) -> str:
    small = picture.copy()
    small.thumbnail((_THUMB_PX, _THUMB_PX))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=80)
    data = base64.b64encode(out.getvalue()).decode("ascii")
    text = escape(words)
    return f'<figure><img alt="{text}" src="data:image/jpeg;base64,{data}"><figcaption>{text}</figcaption></figure>'


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)

    def cell(value: object) -> str:
        return f"<td{' class=number' if isinstance(value, int) else ''}>{escape(str(value))}</td>"

    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>\n" for row in rows)
    return (
        f'<div class="scroll"><table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody>\n</table></div>\n"
    )

"""The page of one reader: one file that asks nothing of the network, keeps answers in the browser and exports them.

It holds no model's name, no item id, no file name and no time. Every word from a file is escaped; the only script that
runs is the one written here, by its hash.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

from osler.core.errors import InputError
from osler.evaluation.cases import thumbnail
from osler.evaluation.judging.answers import Stored
from osler.evaluation.judging.readers import EXPORT_VERSION, Page, ReaderCase
from osler.store.shards import Store

_CHOICES = (("left", "Left is better"), ("right", "Right is better"), ("tie", "Equally good"), ("both_bad", "Both bad"))


def reader_page(page: Page, stored: Mapping[str, Stored], stores: Sequence[Store]) -> str:
    """The whole file."""
    script, style = (_part(name) for name in ("reader_page.js", "reader_page.css"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    cases = "".join(_case(number, case, page, stored, stores) for number, case in enumerate(page.cases, start=1))
    facts = json.dumps({"schema_version": EXPORT_VERSION, "page": page.id, "reader": page.reader})
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Which answer reasons better?</title>\n<style>\n{style}</style>\n</head>\n"
        f'<body data-page="{escape(facts, quote=True)}">\n<main>\n<h1>Which answer reasons better?</h1>\n'
        "<p>Two answers to each question, on sides drawn by chance. Judge whether what is said of the image and of "
        "medicine is right and leads to the answer; length and style do not count. Keys: <kbd>1</kbd> left, "
        "<kbd>2</kbd> right, <kbd>3</kbd> equally good, <kbd>4</kbd> both bad, <kbd>n</kbd> next, <kbd>p</kbd> "
        "previous. Answers stay in this browser until you export them; send the exported file back.</p>\n"
        '<nav aria-label="Cases"><button type="button" id="previous">Previous</button> '
        '<button type="button" id="next">Next</button> <span id="progress" role="status"></span> '
        '<button type="button" id="export">Export answers</button></nav>\n'
        f"<noscript><p>This page needs its own script to keep and export answers.</p></noscript>\n{cases}</main>\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _case(number: int, case: ReaderCase, page: Page, stored: Mapping[str, Stored], stores: Sequence[Store]) -> str:
    sides = "".join(
        f'<section aria-label="{name} answer"><h3>{name}</h3><div class="words">{escape(text) or "<i>(empty)</i>"}'
        "</div></section>"
        for name, text in zip(("Left", "Right"), case.texts, strict=True)
    )
    choices = "".join(
        f'<label><input type="radio" name="{case.id}" value="{value}"> {place}. {words}</label>'
        for place, (value, words) in enumerate(_CHOICES, start=1)
    )
    return (
        f'<article class="case" id="{case.id}" tabindex="-1"><h2>Case {number} of {len(page.cases)}</h2>'
        f'<div class="images">{_images(stored[case.duel.item_id], stores)}</div>'
        f'<p class="words">{escape(case.duel.question)}</p><div class="sides">{sides}</div>'
        f"<fieldset><legend>Which one reasons better?</legend>{choices}</fieldset></article>\n"
    )


def _images(stored: Stored, stores: Sequence[Store]) -> str:
    """The pictures as data URIs, redrawn, so that no header of a file says where it is from."""
    shown = []
    media = stored.sample.media
    for place, (ref, data) in enumerate(zip(media, stores[stored.store].media(stored.row), strict=True), start=1):
        try:
            encoded = base64.b64encode(thumbnail(data, ref)).decode()
        except InputError:
            shown.append(f"<p>Image {place} of {len(media)} cannot be shown.</p>")
            continue
        shown.append(f'<img alt="Image {place} of {len(media)}" src="data:image/png;base64,{encoded}">')
    return "".join(shown)


def _part(name: str) -> str:
    return (files("osler.evaluation.judging") / name).read_text(encoding="utf-8")

"""Card of one item: its images, its question, and of each model what it said and how that was read."""

from dataclasses import dataclass
from html import escape

from osler.report.evaluations import Case, Said
from osler.report.pictures import Pictures
from osler.schema.sample import LETTERS

_CONDITIONS = "image blind shuffled"


@dataclass(frozen=True)
class Bounds:
    """How much is shown.

    num_cases: of each task, outcome and evaluation. num_images: of each case. max_image_px: longer side.
    max_characters: of each text. max_pictures_bytes: all pictures together, as they stand in the page.
    """

    num_cases: int
    num_images: int
    max_image_px: int
    max_characters: int
    max_pictures_bytes: int


@dataclass(frozen=True)
class Entry:
    """One item: the cases that evaluations kept of it, with their names."""

    cases: tuple[tuple[str, Case], ...]


def card(entry: Entry, marks: str, *, pictures: Pictures, bounds: Bounds) -> str:
    """The card; `marks` are the classes by which it is filtered."""
    case = entry.cases[0][1]
    said = "".join(
        _said(name, kept, condition, found, bounds)
        for name, kept in entry.cases
        for condition, found in sorted(kept.predictions.items(), key=lambda each: _CONDITIONS.find(each[0]))
    )
    verdict = case.verdict or "not checked"
    return (
        f'<article class="case {marks}"><h3>{escape(case.task)} <small>{escape(case.item_id)}</small></h3>'
        f'{_images(case, pictures, bounds)}<p class="words">{_cut(case.question, bounds)}</p>{_options(case, bounds)}'
        f"<dl><dt>truth</dt><dd>{_cut(_gold(case), bounds)}</dd>"
        f"<dt>training data</dt><dd>{escape(verdict)}</dd></dl>{said}</article>\n"
    )


def _images(case: Case, pictures: Pictures, bounds: Bounds) -> str:
    shown = [
        pictures.element(case.folder / name, f"Image {place} of {len(case.images)} of item {case.item_id}")
        for place, name in enumerate(case.images[: bounds.num_images], start=1)
    ]
    more = len(case.images) - len(shown)
    notes = [f"{more} more images are not shown"] if more else []
    notes += [f"image {each.get('image')} cannot be shown: {each.get('reason')}" for each in case.images_not_shown]
    return f'<div class="images">{"".join(shown)}</div>' + "".join(
        f'<p class="absent">{escape(note)}</p>' for note in notes
    )


def _options(case: Case, bounds: Bounds) -> str:
    lines = [f"{letter}. {option}" for letter, option in zip(LETTERS, case.options, strict=False)]
    if set(lines) <= set(case.question.splitlines()):
        return ""  # the question's own words list them, or there are none
    rows = "".join(
        f"<li{' class=gold' if letter == case.gold else ''}>{letter}. {_cut(option, bounds)}</li>"
        for letter, option in zip(LETTERS, case.options, strict=False)
    )
    return f'<ul class="options">{rows}</ul>'


def _gold(case: Case) -> str:
    return case.gold if case.gold_text in ("", case.gold) else f"{case.gold}: {case.gold_text}"


def _said(name: str, case: Case, condition: str, found: Said, bounds: Bounds) -> str:
    outcome = case.outcome if condition == "image" else _outcome(found)
    shown = f", shown the image of {found.shown_item_id}" if found.shown_item_id else ""
    score = "no score of its own" if found.score is None else f"{found.score:.3f}"
    metric = f" ({case.metric})" if case.metric and found.score is not None else ""
    facts = (
        ("read as", "nothing" if found.parsed is None else _cut(found.parsed, bounds)),
        ("status", escape(found.status)),
        ("rule", escape(found.rule or "not recorded by this evaluation")),
        ("words", _words(found, bounds)),
        ("score", escape(score + metric)),
    )
    body = "".join(f"<dt>{key}</dt><dd>{value}</dd>" for key, value in facts)
    opened = " open" if condition == "image" else ""
    return (
        f'<details{opened}><summary>{escape(name)}, {escape(condition + shown)}: <span class="{outcome}">{outcome}'
        f'</span></summary><pre class="raw">{_raw(found, bounds)}</pre><dl>{body}</dl></details>'
    )


def _outcome(found: Said) -> str:
    if found.parsed is None:
        return "unparsed"
    return {True: "right", False: "wrong", None: "unmeasured"}[found.correct]


def _words(found: Said, bounds: Bounds) -> str:
    """The words that were read, and where they begin and end in the raw answer."""
    if not found.words:
        return "none"
    where = f" (characters {found.span[0]} to {found.span[1]})" if found.span else " (not letter by letter)"
    said = "the same" if found.words == found.parsed else _cut(found.words, bounds)
    return said + escape(where)


def _raw(found: Said, bounds: Bounds) -> str:
    """The raw answer with the words that were read marked; of a long one the beginning and what is around the words."""
    if not found.raw:
        return '<span class="absent">(empty)</span>'
    start, end = found.span or (0, 0)
    if not 0 <= start < end <= len(found.raw):
        return _cut(found.raw, bounds)
    room = max(bounds.max_characters - (end - start), 0) // 2
    before, after = found.raw[:start], found.raw[end:]
    return _cut_front(before, room) + f"<mark>{_cut(found.raw[start:end], bounds)}</mark>" + _cut_at(after, room)


def _cut(text: str, bounds: Bounds) -> str:
    return _cut_at(text, bounds.max_characters)


def _cut_at(text: str, size: int) -> str:
    if len(text) <= size:
        return escape(text)
    return escape(text[:size]) + f'<span class="absent"> [{len(text) - size:,} more characters]</span>'


def _cut_front(text: str, size: int) -> str:
    if len(text) <= size:
        return escape(text)
    return f'<span class="absent">[{len(text) - size:,} characters before] </span>' + escape(text[len(text) - size :])

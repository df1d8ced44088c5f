"""Compound figures: panels on a sheet with gutters, labels and a caption, and the truth about all of them."""

import io
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from osler.core.rng import generator
from osler.synth.compound.layout import Rect, Sheet, grid, nested, one
from osler.synth.compound.plots import plot
from osler.synth.compound.textures import TEXTURES

Kind = Literal["white", "black", "gapless", "nested", "plots", "mixed", "single", "single_plot"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""white, black, gapless: grids of pictures with such gutters, or none. nested: pictures of mixed sizes. plots: plots
alone. mixed: grids or mixed sizes, pictures and plots, gutters mostly white. single, single_plot: one panel."""

_CONTENT = ("tissue", "lesion", "vessel", "control", "follow-up", "contrast series", "overlay", "detail")
_Labels = Literal["none", "inside", "above"]


@dataclass(frozen=True, eq=False)
class CompoundFigure:
    """A figure and its truth.

    pixels: uint8, shape [height, width, 3].
    boxes: the panels without the labels beside them, x0, y0, x1, y1 in pixels, row by row.
    labels: what is drawn at each panel, "" for none.
    caption, parts: the caption, and what it says of each panel ("" where it names none).
    """

    kind: Kind
    pixels: np.ndarray
    boxes: tuple[Rect, ...]
    labels: tuple[str, ...]
    caption: str
    parts: tuple[str, ...]


def draw_figure(kind: Kind, number: int, *, seed: int = 0) -> CompoundFigure:
    """Figure `number` of a kind under a seed: the same arguments give the same figure."""
    rng = generator(seed, "compound", kind, number)
    gutter_kind, sheet = _sheet(kind, rng)
    labels: _Labels = _label_place(rng, kind, gutter_kind)
    cells = sorted(sheet.cells, key=lambda cell: (cell[1], cell[0]))
    ground = (0, 0, 0) if gutter_kind == "black" else (255, 255, 255)
    picture = Image.new("RGB", (sheet.width, sheet.height), ground)
    font = ImageFont.load_default(int(rng.integers(15, 26)))
    alike = int(rng.integers(len(TEXTURES))) if rng.random() < 0.5 else None
    boxes, letters = [], []
    for place, cell in enumerate(cells):
        letter = "" if labels == "none" else "ABCDEFGHIJKL"[place]
        box = _below_label(picture, cell, letter, font) if labels == "above" else cell
        content = _content(rng, box, is_plot=_is_plot(rng, kind, gutter_kind), texture=alike)
        picture.paste(Image.fromarray(content), box[:2])
        if labels == "inside":
            _label_inside(rng, picture, box, letter, font)
        boxes.append(box)
        letters.append(letter)
    pixels = _compressed(rng, picture)
    caption, parts = _caption(rng, letters)
    return CompoundFigure(kind, pixels, tuple(boxes), tuple(letters), caption, parts)


def _sheet(kind: Kind, rng: np.random.Generator) -> tuple[str, Sheet]:
    if kind in ("single", "single_plot"):
        return "white", one(rng)
    gutters = {"black": "black", "gapless": "none"}
    gutter_kind = gutters.get(kind, "white")
    if kind == "mixed":
        gutter_kind = str(rng.choice(["white", "black", "none"], p=[0.8, 0.12, 0.08]))
    widest = {"white": 30, "black": 12, "none": 0}[gutter_kind]
    gutter = int(rng.integers(2 if gutter_kind == "black" else 4, widest)) if widest else 0
    margin = int(rng.integers(0, 20)) if gutter_kind == "white" else 0
    is_nested = kind == "nested" or (kind in ("mixed", "plots") and rng.random() < 0.5)
    return gutter_kind, (nested if is_nested else grid)(rng, gutter=gutter, margin=margin)


def _label_place(rng: np.random.Generator, kind: Kind, gutter_kind: str) -> _Labels:
    if kind in ("single", "single_plot"):
        return "none"
    if kind == "plots":
        return "above" if rng.random() < 0.6 else "none"
    places: list[_Labels] = ["inside", "none", "above"] if gutter_kind == "white" else ["inside", "none"]
    return places[int(rng.integers(len(places)))]


def _is_plot(rng: np.random.Generator, kind: Kind, gutter_kind: str) -> bool:
    if kind == "mixed" and gutter_kind == "white":
        return bool(rng.random() < 0.4)
    return kind in ("plots", "single_plot")


def _content(rng: np.random.Generator, box: Rect, *, is_plot: bool, texture: int | None) -> np.ndarray:
    """A plot, or a picture: of one texture in every panel, or of any."""
    width, height = box[2] - box[0], box[3] - box[1]
    if is_plot:
        return plot(rng, width, height)
    return TEXTURES[int(rng.integers(len(TEXTURES))) if texture is None else texture](rng, width, height)


def _below_label(picture: Image.Image, cell: Rect, letter: str, font: ImageFont.FreeTypeFont) -> Rect:
    """The letter above the top left of a cell; returns what is left of the cell."""
    x0, y0, x1, y1 = cell
    ImageDraw.Draw(picture).text((x0, y0), letter, (0, 0, 0), font)
    return x0, y0 + int(font.size) + 4, x1, y1


def _label_inside(
    rng: np.random.Generator, picture: Image.Image, box: Rect, letter: str, font: ImageFont.FreeTypeFont
) -> None:
    pen = ImageDraw.Draw(picture)
    inset, is_top = int(rng.integers(3, 12)), rng.random() < 0.7
    place = (box[0] + inset, box[1] + inset if is_top else box[3] - inset - int(font.size) - 6)
    if rng.random() < 0.5:
        pen.rectangle(pen.textbbox(place, letter, font), fill=(0, 0, 0))
        pen.text(place, letter, (255, 255, 255), font)
    else:
        pen.text(place, letter, (255, 255, 255), font, stroke_width=2, stroke_fill=(0, 0, 0))


def _compressed(rng: np.random.Generator, picture: Image.Image) -> np.ndarray:
    """The pixels, three times in four as JPEG of quality 70 to 95 would keep them."""
    if rng.random() < 0.25:
        return np.array(picture)
    data = io.BytesIO()
    picture.save(data, format="JPEG", quality=int(rng.integers(70, 96)))
    return np.array(Image.open(data))


def _caption(rng: np.random.Generator, letters: list[str]) -> tuple[str, tuple[str, ...]]:
    lead = "Findings in one patient."
    if not letters[0]:
        return lead, ("",) * len(letters)
    form = ["({})", "{}.", "{})", "({}):"][int(rng.integers(4))]
    is_lower = form.startswith("(") and rng.random() < 0.5
    parts = [f"{str(rng.choice(_CONTENT)).capitalize()} seen in view {place + 1}." for place in range(len(letters))]
    marks = [form.format(letter.lower() if is_lower else letter) for letter in letters]
    return " ".join([lead, *(f"{mark} {part}" for mark, part in zip(marks, parts, strict=True))]), tuple(parts)

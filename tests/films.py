"""Drawn chest films for tests, as shown, and pictures as files."""

import io
from functools import cache

import numpy as np
from PIL import Image

from osler.media.window import apply_window
from osler.synth.phantom.film import draw_film
from osler.synth.phantom.patient import make_patient


def textured(seed: int, size: int = 160) -> Image.Image:
    """A gray picture with much to recognise it by."""
    random = np.random.default_rng(seed)
    canvas = np.full((size, size), 90, np.uint8)
    ys, xs = np.mgrid[:size, :size]
    for _ in range(60):
        x, y, radius = random.integers(size), random.integers(size), random.integers(3, 14)
        canvas[(xs - x) ** 2 + (ys - y) ** 2 < radius**2] = random.integers(20, 250)
    return Image.fromarray(canvas)


@cache
def film(number: int, *, image_px: int = 256) -> np.ndarray:
    """The first film of patient `number`: uint8 [image_px, image_px]."""
    patient = make_patient(41, number)
    drawn = draw_film(41, patient, patient.visits[0], image_px=image_px)
    return apply_window(drawn.pixels, drawn.window)


def saved(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    """A picture as a file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()

"""What every corruption owes: five severities that grow, the same bytes for the same seed, pictures of any form."""

import numpy as np
import pytest

from osler.core.catalog import CORRUPTIONS
from osler.core.rng import generator
from osler.transfer.corruption import MODALITIES, SEVERITIES, Corruption, corrupt

NAMES = CORRUPTIONS.names()


def picture(number, height=64, width=64, *, colour=True):
    """A drawn picture with smooth shades, edges and grain, so that every corruption has something to change."""
    rng = generator(0, "picture", number)
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    value = 0.45 + 0.15 * np.sin(9 * across + 3 * rng.random()) * np.cos(7 * down + 3 * rng.random())
    for _ in range(5):
        x, y, radius = rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), rng.uniform(0.05, 0.2)
        value[np.hypot(across - x, down - y) < radius] += rng.uniform(-0.3, 0.3)
    tint = np.array([0.95, 0.75, 0.85]) if colour else np.ones(3)
    layers = value[:, :, None] * tint + 0.01 * rng.standard_normal((height, width, 1))
    return (np.clip(layers, 0, 1) * 255).astype(np.uint8)


PICTURES = [picture(number) for number in range(8)]


def distance(a, b):
    return float(np.sqrt(np.mean((a.astype(float) - b.astype(float)) ** 2)))


@pytest.mark.parametrize("name", NAMES)
def test_declares_what_it_is(name):
    entry = CORRUPTIONS.load(name)
    assert isinstance(entry, Corruption)
    assert set(entry.modalities) <= set(MODALITIES)
    assert entry.unit and entry.kind in {"medical", "common"}
    assert (entry.kind == "common") == (entry.modalities == ())
    steps = np.diff(entry.strengths)
    assert (steps > 0).all() or (steps < 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_severities_grow(name):
    means = [
        np.mean([distance(corrupt(p, name, s, seed=0, image_id=str(n)), p) for n, p in enumerate(PICTURES)])
        for s in SEVERITIES
    ]
    assert means[0] > 0.5
    assert (np.diff(means) > 0).all(), means


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("height", "width"), [(8, 8), (23, 40), (51, 17)])
def test_every_form_of_picture_keeps_its_form_and_is_changed(name, height, width):
    colour = picture(3, height, width)
    gray = colour[:, :, 0].copy()
    for pixels in (colour, gray, gray[:, :, None]):
        before = pixels.copy()
        out = corrupt(pixels, name, 5, seed=1, image_id="a")
        assert (out.shape, out.dtype) == (pixels.shape, np.uint8)
        assert (pixels == before).all()
        assert distance(out, pixels) > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_bytes_and_gray_stays_gray(name):
    gray = picture(1, 32, 48, colour=False)
    out = corrupt(gray, name, 3, seed=7, image_id="a")
    assert (out == corrupt(gray, name, 3, seed=7, image_id="a")).all()
    assert (out == out[:, :, :1]).all()
    assert (out[:, :, 0] == corrupt(gray[:, :, 0].copy(), name, 3, seed=7, image_id="a")).all()


DRAWN = set(NAMES) - {
    *("contrast", "jpeg", "pixelate", "defocus_blur", "gibbs_ringing", "over_exposure"),  # the same for every picture
    *("brightness", "gamma"),  # nothing is drawn but a sign
}


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_another_picture_and_another_seed_draw_anew(name):
    outs = [
        corrupt(PICTURES[0], name, 3, seed=0, image_id="a"),
        corrupt(PICTURES[0], name, 3, seed=0, image_id="b"),
        corrupt(PICTURES[0], name, 3, seed=1, image_id="a"),
    ]
    assert not (outs[0] == outs[1]).all()
    assert not (outs[0] == outs[2]).all()

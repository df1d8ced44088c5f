import numpy as np
import pytest

from osler.media.deid_pixels import Picture
from osler.media.presentation import Presentation, Table, shown_frames
from osler.schema.media import Window
from osler.serve.studies.values import told_values

FRAMES = {
    "unsigned": np.arange(4096, dtype=np.uint16).reshape(1, 64, 64),
    "signed": (np.arange(4096, dtype=np.int16) - 2048).reshape(1, 64, 64),
}


def png_values(picture):
    """What `media.deid.png_frames` writes."""
    values = picture.frames[0].astype(np.int64) + (2048 if picture.frames.dtype == np.int16 else 0)
    return 4095 - values if picture.inverted else values


def page_levels(values, told):
    """The page's own line (gray.js)."""
    share = (values - (told["center"] - 0.5)) / (told["width"] - 1) + 0.5
    return np.rint(np.clip(share, 0, 1) * 255)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("windows", [(), (Window(center=300, width=900),)])
@pytest.mark.parametrize("modality", [(1.0, 0.0), (1.0, -1024.0)])
def test_the_page_shows_what_the_model_is_shown(kind, inverted, windows, modality):
    picture = Picture(FRAMES[kind], 12, inverted=inverted)
    shown = Presentation(modality, windows)
    told = told_values(picture, shown, 0)
    server = shown_frames(picture, [shown], [0])[0]
    assert np.abs(page_levels(png_values(picture), told) - server).max() <= 1
    assert told["is_curved"] is False


def test_the_scale_leads_to_hounsfield_units():
    told = told_values(Picture(FRAMES["signed"], 12, inverted=False), Presentation((2.0, -1024.0)), 0)
    slope, intercept = told["scale"]
    assert (slope * 0 + intercept, slope * 4095 + intercept) == (2 * -2048 - 1024, 2 * 2047 - 1024)
    assert "scale" not in told_values(Picture(FRAMES["signed"], 12, inverted=True), Presentation((2.0, 0.0)), 0)


def test_what_no_rising_line_shows_is_not_offered():
    picture = Picture(FRAMES["unsigned"], 12, inverted=False)
    table = Table(0, np.arange(4096.0), 12)
    assert told_values(picture, Presentation((-1.0, 0.0)), 0) is None
    assert told_values(picture, Presentation(table), 0) is None


def test_a_curve_is_named():
    picture = Picture(FRAMES["unsigned"], 12, inverted=False)
    curved = told_values(picture, Presentation(voi=Table(100, np.linspace(0, 255, 1000), 8)), 0)
    assert curved["is_curved"] and (curved["center"], curved["width"]) == (599.5, 999)
    sigmoid = Presentation(windows=(Window(center=300, width=900),), curve="SIGMOID")
    assert told_values(picture, sigmoid, 0)["is_curved"]

import numpy as np
import pytest
from PIL import Image, ImageDraw

from osler.core.rng import generator
from osler.media.screen import corner_skin_share, screen_signs


def scan(width: int = 400, height: int = 300) -> Image.Image:
    random = generator(0, "screen")
    coarse = Image.fromarray(random.integers(20, 200, (8, 8)).astype(np.uint8))
    soft = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(np.float32)
    return Image.fromarray((soft + random.normal(0, 6, soft.shape)).clip(0, 255).astype(np.uint8))


def window(bar: int) -> np.ndarray:
    picture = Image.new("L", (640, 480), 40)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 640, 30), fill=bar)
    draw.rectangle((0, 455, 640, 480), fill=bar)
    draw.line((0, 60, 640, 60), fill=200)
    draw.line((180, 0, 180, 480), fill=200)
    picture.paste(scan(200, 150), (300, 200))
    return np.asarray(picture)


def test_a_window_has_bars_lines_and_even_ground():
    signs = screen_signs(window(120))
    assert signs.num_bars == 2 and signs.num_lines == 4, "two bars, a line across and a line down"
    assert signs.flat_share > 0.3


@pytest.mark.parametrize("bar", [0, 255])
def test_black_and_white_strips_are_no_bars(bar):
    picture = np.asarray(scan(640, 480)).copy()
    picture[:30] = picture[460:] = bar
    assert screen_signs(picture).num_bars == 0


def test_a_scan_shows_no_sign():
    signs = screen_signs(np.asarray(scan()))
    assert (signs.num_lines, signs.num_bars) == (0, 0) and signs.flat_share < 0.05
    assert screen_signs(np.zeros((300, 300), np.uint8)).flat_share == 0, "black ground is no sign"
    assert screen_signs(np.zeros((5, 5), np.uint8)).num_bars == 0


def narrated(face: tuple[int, int, int], at: tuple[int, int]) -> np.ndarray:
    picture = scan().convert("RGB")
    ImageDraw.Draw(picture).ellipse((at[0], at[1], at[0] + 100, at[1] + 110), fill=face)
    return np.asarray(picture)


@pytest.mark.parametrize("at", [(5, 5), (295, 5), (5, 185), (295, 185)])
@pytest.mark.parametrize("face", [(224, 172, 140), (141, 85, 60)])
def test_skin_in_one_corner_is_seen(face, at):
    assert corner_skin_share(narrated(face, at)) > 0.4


def test_skin_elsewhere_gray_and_tissue_are_not():
    assert corner_skin_share(narrated((224, 172, 140), (150, 95))) < 0.3
    assert corner_skin_share(np.asarray(scan().convert("RGB"))) == 0
    assert corner_skin_share(np.full((200, 200, 3), (224, 172, 140), np.uint8)) == 0

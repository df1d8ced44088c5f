import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.media import quality
from osler.media.image import encode_png8, encode_png16


@pytest.fixture
def gray() -> np.ndarray:
    random = generator(0, "quality")
    coarse = Image.fromarray(random.integers(20, 236, (10, 12)).astype(np.uint8))
    soft = np.asarray(coarse.resize((300, 260), Image.Resampling.BICUBIC)).astype(np.float32)
    return (soft + random.normal(0, 8, soft.shape)).clip(0, 255).astype(np.uint8)


def blurred(gray, sigma):
    return np.asarray(Image.fromarray(gray).filter(ImageFilter.GaussianBlur(sigma)))


def jpeg(gray, setting):
    out = io.BytesIO()
    Image.fromarray(gray).save(out, "JPEG", quality=setting)
    return out.getvalue()


def test_sharpness_falls_with_blur_and_not_with_contrast(gray):
    values = [quality.sharpness(blurred(gray, sigma)) for sigma in (0, 0.7, 1, 2)]
    assert values == sorted(values, reverse=True) and values[-1] < 0.1 * values[0]
    dim = (gray.astype(np.float32) * 0.4 + 60).astype(np.uint8)
    assert quality.sharpness(dim) == pytest.approx(quality.sharpness(gray), rel=0.1)


def test_sharpness_of_white_noise_is_that_of_the_formula():
    noise = generator(1, "noise").normal(128, 20, (500, 500)).clip(0, 255).astype(np.uint8)
    assert quality.sharpness(noise) == pytest.approx(20_000, rel=0.03)


def test_sharpness_is_that_of_the_picture_at_the_size_of_a_model(gray):
    large = Image.fromarray(blurred(gray, 2)).resize((1536, 1331), Image.Resampling.BICUBIC)
    at_512 = large.resize((512, 444), Image.Resampling.BOX)
    assert quality.sharpness(np.asarray(large)) == pytest.approx(quality.sharpness(np.asarray(at_512)), rel=0.01)


@pytest.mark.parametrize("times", [2, 3, 4, 8])
def test_detail_tells_how_far_a_picture_was_enlarged(times):
    source = generator(2, "noise").integers(0, 256, (640 // times, 640 // times)).astype(np.uint8)
    large = np.asarray(Image.fromarray(source).resize((640, 640), Image.Resampling.LANCZOS))
    assert quality.detail(large) == pytest.approx(1 / times, abs=0.08)


def test_detail_of_a_smooth_picture_is_not_the_noise_of_rounding(gray):
    assert quality.detail(gray) > 0.7
    assert quality.detail(blurred(gray, 8)) < 0.25


def test_blocks_stand_out_more_the_harder_the_compression(gray):
    values = [quality.blockiness(np.asarray(Image.open(io.BytesIO(jpeg(gray, q))))) for q in (95, 30, 10, 4)]
    assert values == sorted(values) and values[0] < 1.2 and values[-1] > 2.5
    shifted = np.asarray(Image.open(io.BytesIO(jpeg(gray, 4))))[3:, 5:]
    assert quality.blockiness(shifted) > 2.5


def test_a_ruler_is_no_grid_of_blocks(gray):
    ruled = gray.copy()
    ruled[:, ::8] = 255
    assert quality.blockiness(ruled) < 1.3


@pytest.mark.parametrize("setting", [1, 5, 20, 50, 75, 90, 100])
def test_the_setting_of_a_jpeg_is_read_from_its_tables(gray, setting):
    # Entries of a table are whole numbers of at most 255, so the extremes are told less exactly.
    assert quality.jpeg_quality(jpeg(gray, setting)) == pytest.approx(setting, abs=2)


def test_only_a_jpeg_has_a_setting(gray):
    assert quality.jpeg_quality(encode_png8(gray)) is None and quality.jpeg_quality(b"") is None
    with pytest.raises(InputError):
        quality.jpeg_quality(b"\xff\xd8\xff\xe0nonsense")


def test_colour():
    gray = np.full((40, 40, 3), 90, np.uint8)
    assert quality.colourfulness(gray) == 0
    halves = gray.copy()
    halves[:20], halves[20:] = (255, 0, 0), (0, 0, 255)
    # Two colours: rg is 255 and 0, yb is 127.5 and -255.
    rg, yb = np.array([255.0, 0.0]), np.array([127.5, -255.0])
    expected = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    assert quality.colourfulness(halves) == pytest.approx(expected, rel=1e-3)


def test_entropy_and_the_commonest_value():
    one = np.full((32, 32), 7, np.uint8)
    assert quality.entropy(one) == 0 and quality.commonest_share(one) == 1
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert quality.entropy(every) == pytest.approx(8) and quality.commonest_share(every) == pytest.approx(3 / 256)
    two = np.repeat(np.array([[0, 200]], np.uint8), 50, axis=0)
    assert quality.entropy(two) == pytest.approx(1) and quality.commonest_share(two) == 0.5


def test_margins_are_counted_from_each_edge(gray):
    paper = np.full((400, 500), 255, np.uint8)
    paper[30:290, 60:360] = np.minimum(gray, 230)
    found = quality.margin(paper, white=True)
    assert found == quality.Margin(left=60, top=30, right=140, bottom=110)
    assert found.share(500, 400) == pytest.approx(1 - 260 * 300 / (400 * 500))
    assert quality.margin(paper, white=False) == quality.Margin(0, 0, 0, 0)
    assert quality.margin(np.zeros((9, 9), np.uint8), white=False).share(9, 9) == 1


def test_sixteen_bits_are_measured_as_eight(gray):
    deep = quality.gray_pixels(encode_png16(gray.astype(np.uint16) * 250))
    assert deep.dtype == np.uint8 and deep.shape == gray.shape
    assert quality.sharpness(deep) == pytest.approx(quality.sharpness(gray), rel=0.1)
    assert quality.rgb_pixels(encode_png16(gray.astype(np.uint16))).shape == (*gray.shape, 3)


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (9, 9), (300, 3)])
def test_the_smallest_pictures_are_measured_too(shape):
    tiny = generator(3, "tiny").integers(0, 256, shape).astype(np.uint8)
    for measure in (quality.sharpness, quality.detail, quality.blockiness, quality.entropy, quality.commonest_share):
        assert np.isfinite(measure(tiny))
    assert quality.margin(tiny, white=True).share(shape[1], shape[0]) <= 1

import io

import numpy as np
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.media.image import encode_png16, open_picture
from osler.media.tiles import cut_tiles, default_threads, map_pictures, num_tiles, tile_grid
from osler.schema.media import Window


@pytest.mark.parametrize(
    ("width", "height", "tiles"),
    [(336, 336, 1), (512, 512, 5), (1024, 1024, 10), (800, 600, 13), (100, 1300, 13), (2500, 3050, 13)],
)
def test_published_tile_counts(width, height, tiles):
    assert num_tiles(width, height, tile_px=336, max_tiles=12) == tiles


def test_the_nearest_ratio_wins_and_then_the_area():
    assert tile_grid(800, 600, tile_px=336) == (4, 3)
    assert tile_grid(100, 1300, tile_px=336) == (1, 12)
    assert tile_grid(512, 512, tile_px=336) == (2, 2)
    assert tile_grid(100, 100, tile_px=336) == (1, 1)
    assert tile_grid(100, 100, tile_px=336, min_tiles=2) == (2, 2)


def test_a_cap_on_enlargement_leaves_out_large_grids():
    assert tile_grid(800, 600, tile_px=336, max_upscale=1.5) == (3, 2)
    assert tile_grid(10, 10, tile_px=336, max_upscale=1.5) == (1, 1)


@pytest.mark.parametrize("size", [(56, 56), (40, 90), (100, 37), (300, 200), (31, 31), (113, 56)])
def test_tiles_equal_the_reference_processor(size):
    pil = pytest.importorskip(
        "transformers.models.got_ocr2.image_processing_pil_got_ocr2", reason="transformers is not installed"
    )
    processor = pil.GotOcr2ImageProcessorPil(
        size={"height": 56, "width": 56}, crop_to_patches=True, max_patches=12, do_rescale=False, do_normalize=False
    )
    pixels = generator(0, "tiles", *size).integers(0, 256, (*size, 3)).astype(np.uint8)
    wanted = processor(images=[pixels], return_tensors="np")["pixel_values"]
    for threads in (None, 1, 2, 5):
        tiles = cut_tiles(pixels, tile_px=56, threads=threads)
        assert tiles.dtype == np.uint8 and tiles.shape[0] == num_tiles(size[1], size[0], tile_px=56)
        assert np.array_equal(tiles, wanted)


@pytest.mark.parametrize(("tile_px", "max_tiles"), [(336, 12), (448, 6), (96, 4)])
def test_grids_equal_the_reference_rule_on_any_size(tile_px, max_tiles):
    reference = pytest.importorskip(
        "transformers.models.got_ocr2.image_processing_pil_got_ocr2", reason="transformers is not installed"
    )
    random = generator(0, "grids", tile_px)
    # Multiples of a half tile meet ties: 1:1, 2:1, 3:2 and areas of exactly half a grid.
    sizes = [*random.integers(1, 3000, (300, 2)), *(random.integers(1, 9, (300, 2)) * tile_px // 2)]
    for width, height in [(int(w), int(h)) for w, h in sizes]:
        wanted = reference.get_optimal_tiled_canvas((height, width), (tile_px, tile_px), 1, max_tiles)
        assert tile_grid(width, height, tile_px=tile_px, max_tiles=max_tiles) == wanted, (width, height)


@pytest.mark.parametrize("max_upscale", [0.5, 1.0, 1.5])
def test_no_grid_is_larger_than_the_cap(max_upscale):
    for width, height in generator(0, "cap").integers(1, 2500, (200, 2)).tolist():
        cols, rows = tile_grid(width, height, tile_px=336, max_upscale=max_upscale)
        assert cols * rows == 1 or cols * rows * 336 * 336 <= max_upscale * width * height


def test_an_image_of_one_tile_is_not_resampled():
    pixels = generator(0, "one").integers(0, 256, (32, 32, 3)).astype(np.uint8)
    tiles = cut_tiles(pixels, tile_px=32)
    assert tiles.shape == (1, 3, 32, 32) and np.array_equal(tiles[0], pixels.transpose(2, 0, 1))


@pytest.mark.parametrize("size", [(56, 56), (90, 40), (200, 300)])
def test_gray_in_any_form_gives_the_same_tiles(size):
    gray = generator(0, "gray", *size).integers(0, 256, size).astype(np.uint8)
    colour = np.repeat(gray[..., None], 3, axis=2)
    wanted = cut_tiles(Image.fromarray(gray), tile_px=56)
    assert wanted.shape[1] == 3
    assert np.array_equal(cut_tiles(colour, tile_px=56), wanted)
    tinted = colour.copy()
    tinted[-1, -1, 2] ^= 128  # one pixel of colour, where the probe of a few does not look
    tiles = cut_tiles(tinted, tile_px=56)
    assert np.array_equal(tiles[:, :2], wanted[:, :2]) and not np.array_equal(tiles[:, 2], wanted[:, 2])


def test_deep_pictures_are_windowed_before_they_are_cut_and_never_clipped():
    ramp = np.linspace(0, 4095, 120 * 120).reshape(120, 120).astype(np.uint16)
    data = encode_png16(ramp)
    assert Image.open(io.BytesIO(data)).mode == "I;16"
    tiles = cut_tiles(open_picture(data, Window(center=2047.5, width=4095)), tile_px=60)
    values, counts = np.unique(tiles, return_counts=True)
    assert values.min() == 0 and values.max() == 255 and len(values) > 250
    assert counts.max() / counts.sum() < 0.02  # clipped at 255, 94 of 100 pixels would be white
    with pytest.raises(InputError, match="mode I;16"):
        cut_tiles(Image.open(io.BytesIO(data)), tile_px=60)


@pytest.mark.parametrize(
    "arguments",
    [
        {"width": 0, "height": 5, "tile_px": 8},
        {"width": 5, "height": 5, "tile_px": 8, "min_tiles": 3, "max_tiles": 2},
        {"width": 5, "height": 5, "tile_px": 0},
    ],
)
def test_impossible_tilings_are_refused(arguments):
    with pytest.raises(InputError, match="cannot tile"):
        tile_grid(**arguments)


def test_pictures_keep_their_order_whatever_the_number_of_threads():
    pictures = [generator(0, "order", str(n)).integers(0, 256, (40 + 9 * n, 70, 3)).astype(np.uint8) for n in range(7)]
    wanted = [cut_tiles(picture, tile_px=32, threads=1) for picture in pictures]
    for threads in (None, 1, 3, 20):
        got = map_pictures(lambda picture: cut_tiles(picture, tile_px=32, threads=1), pictures, threads=threads)
        assert all(np.array_equal(one, other) for one, other in zip(got, wanted, strict=True))
    assert map_pictures(len, []) == [] and 1 <= default_threads() <= 2


def test_an_error_in_a_thread_reaches_the_caller():
    with pytest.raises(InputError, match="mode P"):
        map_pictures(lambda picture: cut_tiles(picture, tile_px=8), [Image.new(m, (9, 9)) for m in "LPL"], threads=2)


@pytest.mark.parametrize("threads", [0, -1])
def test_less_than_one_thread_is_refused(threads):
    with pytest.raises(InputError, match="at least one thread"):
        cut_tiles(np.zeros((9, 4, 3), np.uint8), tile_px=4, threads=threads)
    with pytest.raises(InputError, match="at least one thread"):
        map_pictures(len, ["a"], threads=threads)


def test_pixels_of_another_type_are_refused():
    with pytest.raises(InputError, match="expected uint8"):
        cut_tiles(np.zeros((4, 4), np.uint8), tile_px=4)

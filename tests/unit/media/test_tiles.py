import numpy as np
import pytest

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.media.tiles import cut_tiles, num_tiles, tile_grid


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
    wanted = processor(images=[pixels], return_tensors="np")["pixel_values"].transpose(0, 2, 3, 1)
    tiles = cut_tiles(pixels, tile_px=56)
    assert tiles.dtype == np.uint8 and tiles.shape[0] == num_tiles(size[1], size[0], tile_px=56)
    assert np.array_equal(tiles, wanted)


def test_an_image_of_one_tile_is_not_resampled():
    pixels = generator(0, "one").integers(0, 256, (32, 32, 3)).astype(np.uint8)
    tiles = cut_tiles(pixels, tile_px=32)
    assert tiles.shape == (1, 32, 32, 3) and np.shares_memory(tiles, pixels)


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


def test_pixels_of_another_type_are_refused():
    with pytest.raises(InputError, match="expected uint8"):
        cut_tiles(np.zeros((4, 4), np.uint8), tile_px=4)

"""The image processor: published tiling, its cap, round trip through a folder, and pixels normalised on the device."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.media.image import encode_png8
from osler.media.tiles import default_threads
from osler.model.compose import normalized
from osler.model.config import OslerConfig
from osler.model.processor import OslerImageProcessor, _threads


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(generator(0, "picture", width).integers(0, 256, (height, width, 3)).astype(np.uint8))


@pytest.mark.parametrize("size", [(40, 40), (100, 37), (160, 120)])
def test_normalised_pixels_equal_the_reference_processor(size: tuple[int, int]) -> None:
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    reference = GotOcr2ImageProcessorPil(size={"height": 32, "width": 32}, crop_to_patches=True, max_patches=6)
    wanted = reference(images=[noise(*size)], return_tensors="pt")["pixel_values"]
    tiles = OslerImageProcessor(tile_px=32, max_tiles=6).tiles(noise(*size))
    assert tiles.dtype == torch.uint8
    torch.testing.assert_close(normalized(tiles, OslerConfig()), wanted, atol=1e-6, rtol=1e-6)


def test_the_cap_and_the_count_agree_with_the_pixels() -> None:
    published, capped = OslerImageProcessor(), OslerImageProcessor(max_upscale=1.5)
    assert published.num_tiles(800, 600) == 13 and capped.num_tiles(800, 600) == 7
    for processor in (published, capped):
        assert len(processor.tiles(noise(800, 600))) == processor.num_tiles(800, 600)


def test_a_saved_processor_keeps_its_tiling(tmp_path: Path) -> None:
    OslerImageProcessor(tile_px=32, max_tiles=5, min_tiles=2, max_upscale=1.5).save_pretrained(tmp_path)
    read = OslerImageProcessor.from_pretrained(tmp_path)
    assert (read.tile_px, read.max_tiles, read.min_tiles, read.max_upscale) == (32, 5, 2, 1.5)


def test_deep_pixels_are_refused_never_clipped() -> None:
    ramp = np.linspace(0, 4095, 64 * 64).reshape(64, 64).astype(np.uint16)
    with pytest.raises(ValueError, match="mode I;16 must be windowed"):
        OslerImageProcessor(tile_px=32).preprocess(Image.fromarray(ramp))
    with pytest.raises(InputError, match="expected uint8"):
        OslerImageProcessor(tile_px=32).preprocess(ramp)


def test_files_become_the_same_tiles_side_by_side_as_one_by_one() -> None:
    pictures = [noise(90, 40), noise(33, 70), noise(32, 32)]
    processor = OslerImageProcessor(tile_px=32, max_tiles=6)
    files = [(encode_png8(np.asarray(picture)), None) for picture in pictures]
    for threads in (None, 1, 2):
        for number in (3, 1, 0):
            cut = processor.read_tiles(files[:number], threads=threads)
            assert [len(each) for each in cut] == [processor.num_tiles(*each.size) for each in pictures[:number]]
            for tiles, picture in zip(cut, pictures, strict=False):
                assert torch.equal(tiles, processor.tiles(picture, threads=1))
    both = processor.preprocess(pictures)
    assert torch.equal(both["pixel_values"], torch.cat(processor.read_tiles(files)))
    with pytest.raises(InputError, match="no image file"):
        processor.read_tiles([*files, (b"words", None)], threads=2)


class _Threads(Dataset[int]):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, number: int) -> int:
        return _threads(None)


def test_a_loader_s_worker_cuts_with_one_thread() -> None:
    assert _threads(None) == default_threads() and _threads(3) == 3
    assert [int(count) for count in DataLoader(_Threads(), num_workers=1)] == [1]

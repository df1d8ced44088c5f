"""Pictures and words to what the model reads: tiles of uint8 pixels and token ids.

Axes: N tiles, C H W pixels.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import get_worker_info
from transformers import (
    AutoImageProcessor,
    AutoProcessor,
    BaseImageProcessor,
    BatchFeature,
    PreTrainedTokenizerFast,
    ProcessorMixin,
)

from osler.media.image import open_picture
from osler.media.tiles import cut_tiles, default_threads, map_pictures, num_tiles
from osler.model.config import OslerConfig
from osler.model.tokenizer import IMAGE, IMAGE_END, IMAGE_START
from osler.schema.media import MediaRef, Window


class OslerImageProcessor(BaseImageProcessor):
    """Cuts pictures into tiles plus a thumbnail. Pixels stay uint8: the model normalises them on its device.

    Args:
        tile_px: side of a tile in pixels.
        max_tiles: most tiles of one picture, the thumbnail not counted.
        min_tiles: fewest tiles of one picture, the thumbnail not counted.
        max_upscale: no grid of tiles is chosen whose area exceeds this multiple of the picture's own; None is the
            published rule, which enlarges a small picture of an odd shape to as many tiles as fit the shape best.
    """

    model_input_names = ["pixel_values"]

    def __init__(
        self,
        tile_px: int = 336,
        max_tiles: int = 12,
        *,
        min_tiles: int = 1,
        max_upscale: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tile_px = tile_px
        self.max_tiles = max_tiles
        self.min_tiles = min_tiles
        self.max_upscale = max_upscale

    def tiles(self, picture: np.ndarray | Image.Image, *, threads: int | None = None) -> torch.Tensor:
        """A picture, uint8 [H, W, 3] or of PIL mode L or RGB, to tiles uint8 [N, 3, tile_px, tile_px].

        The pixels do not depend on `threads`; None is one in a loader's worker process, else `default_threads()`.
        """
        return torch.from_numpy(
            cut_tiles(
                picture,
                tile_px=self.tile_px,
                min_tiles=self.min_tiles,
                max_tiles=self.max_tiles,
                max_upscale=self.max_upscale,
                threads=_threads(threads),
            )
        )

    def read_tiles(
        self, files: Sequence[tuple[bytes, MediaRef | Window | None]], *, threads: int | None = None
    ) -> list[torch.Tensor]:
        """Image files, each with the window or media reference it is shown by, decoded and cut side by side.

        Args:
            files: as `osler.media.image.open_picture` takes them, with the same errors.
            threads: as in `tiles`.
        """
        threads = _threads(threads)
        per_picture = threads if len(files) == 1 else 1
        return map_pictures(lambda file: self.tiles(open_picture(*file), threads=per_picture), files, threads=threads)

    def num_tiles(self, width: int, height: int) -> int:
        """How many tiles a picture of that size becomes, the thumbnail included; no pixel is needed."""
        return num_tiles(
            width,
            height,
            tile_px=self.tile_px,
            min_tiles=self.min_tiles,
            max_tiles=self.max_tiles,
            max_upscale=self.max_upscale,
        )

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """One PIL picture or array, or a list of them, to `pixel_values` [N, 3, H, W] and `num_tiles` per picture."""
        pictures = images if isinstance(images, (list, tuple)) else [images]
        threads = _threads(None)
        per_picture = threads if len(pictures) == 1 else 1
        tiles = map_pictures(lambda each: self.tiles(_rgb(each), threads=per_picture), pictures, threads=threads)
        return BatchFeature({"pixel_values": torch.cat(tiles), "num_tiles": [len(each) for each in tiles]})


class OslerProcessor(ProcessorMixin):
    """The tokenizer and the image processor as one, for transformers' AutoProcessor.

    Args:
        image_seq_length: language-model tokens per tile.
    """

    def __init__(
        self,
        image_processor: OslerImageProcessor | None = None,
        tokenizer: PreTrainedTokenizerFast | None = None,
        chat_template: str | None = None,
        image_seq_length: int = 144,  # not keyword-only: transformers would drop it when it reads the folder back
        **kwargs: Any,
    ) -> None:
        super().__init__(image_processor, tokenizer, chat_template=chat_template, **kwargs)
        self.image_seq_length = image_seq_length

    def image_text(self, num_tiles: int) -> str:
        """What stands in the text for a picture of `num_tiles` tiles."""
        return IMAGE_START + IMAGE * (num_tiles * self.image_seq_length) + IMAGE_END

    def __call__(self, images: Any = None, text: str | Sequence[str] | None = None, **kwargs: Any) -> BatchFeature:
        """Tokens of `text`, each `<|image|>` in it opened to as many tokens as its picture has.

        Raises:
            ValueError: the texts hold another number of image places than there are pictures.
        """
        texts = [text] if isinstance(text, str) else list(text or [])
        pictures = _flat(images)
        pixels: dict[str, Any] = dict(self.image_processor.preprocess(pictures)) if pictures else {}
        counts = pixels.pop("num_tiles", [])
        num_places = sum(each.count(IMAGE) for each in texts)
        if num_places != len(counts):
            raise ValueError(f"the text has {num_places} places for images, but {len(counts)} images came")
        replacements = iter([self.image_text(count) for count in counts])
        opened = ["".join(_fill(each, replacements)) for each in texts]
        kwargs = {"padding_side": "left", **kwargs.pop("text_kwargs", {}), **kwargs}
        kwargs.pop("images_kwargs", None)
        return BatchFeature({**self.tokenizer(opened, add_special_tokens=False, **kwargs), **pixels})


def register() -> None:
    """Teach transformers' Auto classes this processor. Idempotent."""
    AutoImageProcessor.register(OslerConfig, slow_image_processor_class=OslerImageProcessor, exist_ok=True)
    AutoProcessor.register(OslerConfig, OslerProcessor, exist_ok=True)


def _threads(threads: int | None) -> int:
    """What was asked for; a loader's worker processes are a core each already."""
    if threads is not None:
        return threads
    return default_threads() if get_worker_info() is None else 1


def _fill(text: str, replacements: Any) -> Any:
    first, *rest = text.split(IMAGE)
    yield first
    for piece in rest:
        yield next(replacements)
        yield piece


def _flat(images: Any) -> list[Any]:
    if images is None:
        return []
    if isinstance(images, (list, tuple)):
        return [picture for each in images for picture in _flat(each)]
    return [images]


def _rgb(picture: Any) -> np.ndarray | Image.Image:
    if isinstance(picture, Image.Image):
        if picture.mode.startswith(("I", "F")):
            raise ValueError(f"a picture of mode {picture.mode} must be windowed to 8 bits first")
        return picture if picture.mode in {"L", "RGB"} else picture.convert("RGB")
    return np.asarray(picture)

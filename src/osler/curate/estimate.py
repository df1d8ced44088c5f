"""What a sample will cost a model, estimated without a tokenizer and without reading a pixel."""

import math

from osler.media.tiles import num_tiles
from osler.schema.sample import Sample

_BYTES_PER_TOKEN = 3.5
_TOKENS_PER_TURN = 4


def estimate_cost(sample: Sample, *, tile_px: int, min_tiles: int = 1, max_tiles: int = 12) -> tuple[int, int]:
    """The number of text tokens and of image tiles of a sample.

    Text is UTF-8 bytes / 3.5 (near what byte-pair vocabularies give on medical English) plus 4 tokens a turn; tiles
    are exact for the given tiling. Images need width and height.
    """
    texts = [part for turn in sample.turns for part in (turn.text, turn.reasoning)]
    num_bytes = sum(len(text.encode()) for text in (*texts, sample.answer.text, sample.reasoning))
    tokens = math.ceil(num_bytes / _BYTES_PER_TOKEN) + _TOKENS_PER_TURN * (len(sample.turns) + 1)
    sizes = [(ref.width, ref.height) for ref in sample.media if ref.width and ref.height]
    return tokens, sum(num_tiles(w, h, tile_px=tile_px, min_tiles=min_tiles, max_tiles=max_tiles) for w, h in sizes)

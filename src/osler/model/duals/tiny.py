"""The tiny family's vision tower and a text transformer of the same width: CLIP at a size for two CPU cores."""

from typing import Any

from transformers import CLIPConfig, CLIPTextConfig

from osler.core.catalog import FAMILIES
from osler.model.dual import Dual


def _config(vocab_size: int, pad: int, start: int, end: int) -> CLIPConfig:
    text: dict[str, Any] = CLIPTextConfig(
        vocab_size=vocab_size,
        hidden_size=128,
        intermediate_size=512,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=96,
        pad_token_id=pad,
        bos_token_id=start,
        eos_token_id=end,
    ).to_dict()
    return CLIPConfig(
        vision_config=FAMILIES.load("tiny").vision_config().to_dict(), text_config=text, projection_dim=64
    )


DUAL = Dual(config=_config, vocab_size=1024)

"""MedGPT-OSS (arXiv 2603.00842): CLIP ViT-L/14 at 336 px and GPT-oss-20B, 21.2 billion parameters, 3.6 active.

Tiles of 336 px become 144 tokens each, up to 12 and a thumbnail. The language model keeps its 131,072 positions.
Harmony's own tokens are used as they are; the image tokens take reserved slots of the vocabulary.
"""

from transformers import CLIPVisionConfig, GptOssConfig, PreTrainedConfig

from osler.model.family import Family, Miniature
from osler.model.tokenizer import PAD


def _vision_config() -> PreTrainedConfig:
    return CLIPVisionConfig(
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=24,
        num_attention_heads=16,
        image_size=336,
        patch_size=14,
        projection_dim=768,
    )


def _text_config(vocab_size: int, pad_token_id: int, eos_token_id: int) -> PreTrainedConfig:
    # GptOssConfig's defaults are the 120B model; YaRN (factor 32, theta 150,000, from 4,096 positions) is the same.
    return GptOssConfig(
        vocab_size=vocab_size,
        num_hidden_layers=24,
        num_local_experts=32,
        num_experts_per_tok=4,
        max_position_embeddings=131072,
        pad_token_id=pad_token_id,
        eos_token_id=eos_token_id,
    )


FAMILY = Family(
    vision_config=_vision_config,
    text_config=_text_config,
    tile_px=336,
    max_tiles=12,
    vocab_size=201088,
    published_tokens={PAD: ("<|endoftext|>",)},
    small=Miniature(
        vision={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2}
        | {"image_size": 56},
        text={"hidden_size": 64, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
        | {"num_key_value_heads": 2, "head_dim": 16, "num_local_experts": 4, "num_experts_per_tok": 2}
        | {"sliding_window": 16, "layer_types": None},
        tile_px=56,
    ),
)

"""InternVL3.5-GPT-OSS-20B-A4B: InternViT-300M at 448 px and GPT-oss-20B, as a start checkpoint that already sees.

Its published "-HF" folder holds all three parts (`parts: {vision: F, projector: F, language: F}`). Tiles of 448 px
become 256 tokens each, up to 12 and a thumbnail.
"""

from transformers import GptOssConfig, InternVLVisionConfig, PreTrainedConfig

from osler.model.family import Family, Miniature
from osler.model.tokenizer import IMAGE, IMAGE_END, IMAGE_START, PAD

# Mean and standard deviation of ImageNet, per RGB channel, on a 0-1 scale: what InternViT was trained with.
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def _vision_config() -> PreTrainedConfig:
    return InternVLVisionConfig(
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=24,
        num_attention_heads=16,
        attention_bias=True,
        image_size=448,
        patch_size=14,
    )


def _text_config(vocab_size: int, pad_token_id: int, eos_token_id: int) -> PreTrainedConfig:
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
    tile_px=448,
    max_tiles=12,
    vocab_size=201088,
    image_mean=_IMAGENET_MEAN,
    image_std=_IMAGENET_STD,
    published_tokens={
        PAD: ("<|endoftext|>",),
        IMAGE: ("<IMG_CONTEXT>",),
        IMAGE_START: ("<img>",),
        IMAGE_END: ("</img>",),
    },
    small=Miniature(
        vision={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        | {"image_size": 56},
        text={"hidden_size": 64, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
        | {"num_key_value_heads": 2, "head_dim": 16, "num_local_experts": 4, "num_experts_per_tok": 2}
        | {"sliding_window": 16, "layer_types": None},
        tile_px=56,
    ),
)

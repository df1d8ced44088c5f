"""SigLIP at a size for two CPU cores: no class token, an attention head that pools, words seen both ways."""

from transformers import SiglipConfig, SiglipTextConfig, SiglipVisionConfig

from osler.model.dual import Dual

_HALF = (0.5, 0.5, 0.5)
_SIZES = {"hidden_size": 128, "intermediate_size": 512, "num_attention_heads": 4}


def _config(vocab_size: int, pad: int, start: int, end: int) -> SiglipConfig:
    vision = SiglipVisionConfig(**_SIZES, num_hidden_layers=4, image_size=96, patch_size=8)
    text = SiglipTextConfig(
        **_SIZES,
        vocab_size=vocab_size,
        num_hidden_layers=3,
        max_position_embeddings=64,
        projection_size=128,
        pad_token_id=pad,
        bos_token_id=start,
        eos_token_id=end,
    )
    return SiglipConfig(vision_config=vision.to_dict(), text_config=text.to_dict())


DUAL = Dual(config=_config, vocab_size=1024, image_mean=_HALF, image_std=_HALF)

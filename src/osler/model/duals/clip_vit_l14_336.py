"""CLIP ViT-L/14 at 336 px with random weights, the tower of MedGPT-OSS (arXiv 2103.00020, table 20)."""

from transformers import CLIPConfig, CLIPTextConfig, CLIPVisionConfig

from osler.model.dual import Dual


def _config(vocab_size: int, pad: int, start: int, end: int) -> CLIPConfig:
    vision = CLIPVisionConfig(
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=24,
        num_attention_heads=16,
        image_size=336,
        patch_size=14,
    )
    text = CLIPTextConfig(
        vocab_size=vocab_size,
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        max_position_embeddings=256,
        pad_token_id=pad,
        bos_token_id=start,
        eos_token_id=end,
    )
    return CLIPConfig(vision_config=vision.to_dict(), text_config=text.to_dict(), projection_dim=768)


DUAL = Dual(config=_config, vocab_size=49408)

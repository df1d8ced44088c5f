"""The published composition's config, without weights: CLIP ViT-L/14 at 336 px and GPT-oss-20B."""

from transformers import CLIPVisionConfig, GptOssConfig

from osler.model.config import OslerConfig

# Mixes whose cost and utilisation the notes on the published run give: tiles and text tokens, 2 more close each image.
MIXES = {
    "1 tile, 150 text": (1, 296),
    "5 tiles, 250 text": (5, 972),
    "9 tiles, 300 text": (9, 1598),
    "13 tiles, 300 text": (13, 2174),
    "18 tiles, 500 text": (18, 3094),
    "26 tiles, 1200 text": (26, 4946),
    "text only 800": (0, 800),
}


def published_config() -> OslerConfig:
    vision = CLIPVisionConfig(
        hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, image_size=336,
        patch_size=14,
    )  # fmt: skip
    return OslerConfig(vision_config=vision, text_config=GptOssConfig(num_hidden_layers=24, num_local_experts=32))

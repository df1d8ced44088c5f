"""OpenMedQ (arXiv 2606.12953): a ViT-base encoder and a LLaMA-class language model, which learns by LoRA of rank 8.

The paper names neither the encoder's resolution nor its pretraining, nor how its features enter the language model.
Chosen here: CLIP ViT-B/16 at 224 px, one tile a picture, every patch a token (196), two linear layers without a norm
(LLaVA's projector). Any LlamaForCausalLM will do as language part; the sizes below are LLaMA-7B's.
"""

from transformers import CLIPVisionConfig, LlamaConfig, PreTrainedConfig

from osler.model.family import Family, Miniature
from osler.model.tokenizer import PAD, RETURN


def _vision_config() -> PreTrainedConfig:
    return CLIPVisionConfig(
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        image_size=224,
        patch_size=16,
        projection_dim=512,
    )


def _text_config(vocab_size: int, pad_token_id: int, eos_token_id: int) -> PreTrainedConfig:
    return LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=4096,
        intermediate_size=11008,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=32,
        max_position_embeddings=2048,
        rms_norm_eps=1e-6,
        pad_token_id=pad_token_id,
        bos_token_id=None,
        eos_token_id=eos_token_id,
    )


FAMILY = Family(
    vision_config=_vision_config,
    text_config=_text_config,
    tile_px=224,
    max_tiles=1,
    vocab_size=32000,
    projector_layer_norm=False,
    downsample_ratio=1.0,
    template="chat_template_plain",
    published_tokens={
        "<|start|>": ("<s>", "<|begin_of_text|>"),
        RETURN: ("</s>", "<|eot_id|>", "<|end_of_text|>"),
        PAD: ("<pad>", "<|finetune_right_pad_id|>"),
    },
    any_text_size=True,
    small=Miniature(
        vision={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        | {"image_size": 32, "patch_size": 8},
        text={"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
        | {"num_key_value_heads": 4, "head_dim": 16},
        tile_px=32,
    ),
)

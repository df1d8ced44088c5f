"""Tensor names of published checkpoints as ours."""

import pytest

from osler.model.part_layout import our_names


@pytest.mark.parametrize(
    ("model_type", "part", "theirs", "ours"),
    [
        ("clip_vision_model", "vision", "vision_model.encoder.layers.0.x", "model.vision_tower.encoder.layers.0.x"),
        ("clip_vision_model", "vision", "encoder.layers.0.x", "model.vision_tower.encoder.layers.0.x"),
        ("clip", "vision", "vision_model.pre_layrnorm.bias", "model.vision_tower.pre_layrnorm.bias"),
        ("gpt_oss", "language", "model.embed_tokens.weight", "model.language_model.embed_tokens.weight"),
        ("gpt_oss", "language", "lm_head.weight", "lm_head.weight"),
        ("internvl", "language", "language_model.model.norm.weight", "model.language_model.norm.weight"),
        ("internvl", "language", "model.language_model.norm.weight", "model.language_model.norm.weight"),
        ("internvl", "language", "language_model.lm_head.weight", "lm_head.weight"),
        ("internvl", "vision", "vision_tower.embeddings.cls_token", "model.vision_tower.embeddings.cls_token"),
        ("internvl", "projector", "multi_modal_projector.layer_norm.bias", "model.multi_modal_projector.norm.bias"),
        ("internvl", "projector", "multi_modal_projector.linear_2.bias", "model.multi_modal_projector.linear_2.bias"),
        ("osler", "language", "lm_head.weight", "lm_head.weight"),
        ("clip", "vision", "who.knows", "who.knows"),  # kept, so that a comparison with the model finds it
    ],
)
def test_names(model_type: str, part: str, theirs: str, ours: str) -> None:
    assert our_names(model_type, part, [theirs]) == {theirs: ours}


@pytest.mark.parametrize(
    ("model_type", "part", "name"),
    [
        ("clip", "vision", "text_model.embeddings.token_embedding.weight"),
        ("clip", "vision", "logit_scale"),
        ("clip", "vision", "vision_model.embeddings.position_ids"),
        ("llama", "language", "model.layers.0.self_attn.rotary_emb.inv_freq"),
        ("internvl", "vision", "language_model.lm_head.weight"),
        ("osler", "projector", "model.vision_tower.x"),
    ],
)
def test_other_parts_and_what_follows_from_the_configuration_are_left_out(
    model_type: str, part: str, name: str
) -> None:
    assert our_names(model_type, part, [name]) == {}

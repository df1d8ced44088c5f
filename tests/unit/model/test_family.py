"""The rules by which parts are put together."""

import dataclasses

import pytest

from osler.core.errors import InputError
from osler.model.families import internvl3_5_gpt_oss, medgpt_oss_20b, openmedq
from osler.model.family import side


@pytest.mark.parametrize(
    ("module", "tokens", "px"), [(medgpt_oss_20b, 144, 336), (internvl3_5_gpt_oss, 256, 448), (openmedq, 196, 224)]
)
def test_tokens_a_tile(module, tokens: int, px: int) -> None:
    config = module.FAMILY.skeleton().config
    assert (config.image_seq_length, config.tile_px) == (tokens, px)


def test_the_20b_language_model_is_the_published_one() -> None:
    text = medgpt_oss_20b.FAMILY.text_config(201088, 0, 1)
    assert (text.num_hidden_layers, text.num_local_experts, text.num_experts_per_tok) == (24, 32, 4)
    assert text.max_position_embeddings == 131072
    rope = text.rope_parameters
    assert (rope["rope_type"], rope["factor"], rope["rope_theta"]) == ("yarn", 32.0, 150000.0)
    assert rope["original_max_position_embeddings"] == 4096
    assert text.layer_types == ["sliding_attention", "full_attention"] * 12


def test_the_tower_is_built_as_deep_as_it_is_read() -> None:
    shorter = dataclasses.replace(medgpt_oss_20b.FAMILY, vision_feature_layer=-2).skeleton()
    assert len(shorter.model.vision_tower.encoder.layers) == 23
    with pytest.raises(InputError, match="vision_feature_layer; expected -1 or -2; got -3"):
        dataclasses.replace(medgpt_oss_20b.FAMILY, vision_feature_layer=-3).skeleton()


def test_pictures_that_cannot_be_cut_are_refused() -> None:
    for tile_px, words in ((350, "expected 350 px; got 336 px"), (336, "")):
        family = dataclasses.replace(medgpt_oss_20b.FAMILY, tile_px=tile_px)
        if words:
            with pytest.raises(InputError, match=words):
                family.skeleton()
        else:
            family.skeleton()
    with pytest.raises(InputError, match="whole tokens; expected a multiple of 70 px"):
        dataclasses.replace(medgpt_oss_20b.FAMILY, downsample_ratio=0.2).skeleton()


def test_sides() -> None:
    assert (side(14), side([448, 448]), side((8, 8))) == (14, 448, 8)
    with pytest.raises(InputError, match="must be square"):
        side((448, 224))

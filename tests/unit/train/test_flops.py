"""Model FLOPs against the published composition's worked table, and by hand on a small one."""

import pytest
import torch
from transformers import GptOssConfig, LlamaConfig

from osler.core.errors import InputError
from osler.model.compose import OslerForConditionalGeneration
from osler.train.flops import Pairs, causal_pairs, flops_per_step, passes, shape_of
from plan_models import MIXES, published_config

# TFLOP a sample: stage 0 (language model frozen, tower and projector trained), stages 1 and 2 (all trained).
STAGE_0 = (5.47, 20.07, 34.11, 47.53, 67.62, 106.66, 11.71)
STAGE_1 = (7.62, 27.20, 45.93, 63.73, 90.96, 144.87, 17.56)
LM_FORWARD = (2.15, 7.13, 11.82, 16.20, 23.34, 38.21, 5.85)
VISION_FORWARD = (0.39, 1.94, 3.49, 5.04, 6.98, 10.08, 0.0)
SHAPE = shape_of(published_config())


def test_the_published_composition_has_the_published_sizes():
    assert SHAPE.lm_matmul == pytest.approx(3.028e9, rel=1e-3)
    assert SHAPE.head_matmul == pytest.approx(0.579e9, rel=1e-3)
    assert SHAPE.tower_matmul == pytest.approx(302e6, rel=1e-3)
    assert SHAPE.projector_matmul == pytest.approx(20.1e6, rel=3e-3)
    assert SHAPE.tower_flops == pytest.approx(0.3819e12, rel=1e-3)
    assert (SHAPE.tile_tokens, SHAPE.full_layers, SHAPE.window_layers, SHAPE.window) == (144, 12, 12, 128)


@pytest.mark.parametrize(
    ("trained", "column"),
    [
        ({"vision": True, "projector": True, "lm": False}, STAGE_0),
        ({"vision": True, "projector": True, "lm": True}, STAGE_1),
    ],
)
def test_the_table_of_the_published_stages(trained, column):
    for (tiles, tokens), expected in zip(MIXES.values(), column, strict=True):
        found = flops_per_step(SHAPE, tokens, tiles, passed=passes(**trained)) / 1e12
        assert found == pytest.approx(expected, rel=0.01), (tiles, tokens)


def test_forward_alone():
    nothing = passes(vision=False, projector=False, lm=False)
    for (tiles, tokens), lm, vision in zip(MIXES.values(), LM_FORWARD, VISION_FORWARD, strict=True):
        assert flops_per_step(SHAPE, tokens, 0, passed=nothing) / 1e12 == pytest.approx(lm, rel=0.01)
        both = flops_per_step(SHAPE, tokens, tiles, passed=nothing) / 1e12
        assert both - flops_per_step(SHAPE, tokens, 0, passed=nothing) / 1e12 == pytest.approx(vision, abs=0.006)


@pytest.mark.parametrize(
    ("vision", "projector", "lm", "expected"),
    [
        (True, True, True, (3, 3, 3)),
        (False, True, False, (1, 3, 2)),  # alignment as the paper's table has it
        (True, False, False, (3, 2, 2)),
        (False, False, True, (1, 1, 3)),
    ],
)
def test_what_training_a_part_costs_the_others(vision, projector, lm, expected):
    found = passes(vision=vision, projector=projector, lm=lm)
    assert (found.vision, found.projector, found.lm) == expected


def test_pairs_are_those_a_mask_would_allow():
    position = torch.arange(10)
    allowed = position[:, None] - position[None, :]
    full, near = int((allowed >= 0).sum()), int(((allowed >= 0) & (allowed < 4)).sum())
    assert causal_pairs([10], 4) == Pairs(full, near)
    assert causal_pairs([3], 4) == Pairs(6, 6)


def test_isolated_documents_cost_less_than_one_long_one():
    trained = passes(vision=True, projector=True, lm=True)
    whole = flops_per_step(SHAPE, 32768, 0, passed=trained)
    packed = flops_per_step(SHAPE, 32768, 0, passed=trained, pairs=causal_pairs([1024] * 32, SHAPE.window))
    assert packed < 0.85 * whole
    fewer = flops_per_step(SHAPE, 32768, 0, passed=trained, head_tokens=0)
    assert whole - fewer == pytest.approx(6 * SHAPE.head_matmul * 32768)


def test_matmul_weights_are_those_of_the_model():
    """Counted from the tiny family's real tensors: all matrices but the embeddings, two of four experts."""
    from osler.model.families.tiny import FAMILY

    config = FAMILY.full_config()
    with torch.device("meta"):
        model = OslerForConditionalGeneration(config)
    shape = shape_of(config)
    sizes = {name: each.numel() for name, each in model.named_parameters() if each.ndim >= 2 and "bias" not in name}
    lm = {name: size for name, size in sizes.items() if "language_model.layers" in name}
    share = config.text_config.num_experts_per_tok / config.text_config.num_local_experts
    active = sum(size * share if "experts" in name and "router" not in name else size for name, size in lm.items())
    tower = sum(size for name, size in sizes.items() if "vision_tower" in name and "layers" in name)
    assert shape.lm_matmul == active
    assert shape.tower_matmul == tower
    assert shape.projector_matmul == sum(size for name, size in sizes.items() if "projector" in name)
    assert shape.head_matmul == sizes["lm_head.weight"]


def test_a_dense_language_model_has_one_block_and_full_layers():
    config = published_config()
    config.text_config = LlamaConfig(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4)
    shape = shape_of(config)
    assert shape.lm_matmul == 2 * (4 * 64 * 64 + 3 * 64 * 128)
    assert (shape.full_layers, shape.window_layers) == (2, 0)


def test_layers_of_another_kind_are_refused():
    config = published_config()
    config.text_config = GptOssConfig(num_hidden_layers=1)
    config.text_config.layer_types = ["linear_attention"]
    with pytest.raises(InputError, match="layers of kind linear_attention"):
        shape_of(config)

"""Parameters by part, counted from shapes."""

from osler.core.catalog import FAMILIES
from osler.model.sizes import PartSize, part_sizes


def sizes(name: str) -> dict[str, PartSize]:
    model = FAMILIES.load(name).skeleton()
    assert all(parameter.is_meta for parameter in model.parameters())
    text = model.config.text_config
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    experts, chosen = (getattr(text, key, None) for key in ("num_local_experts", "num_experts_per_tok"))
    return {size.part: size for size in part_sizes(shapes, experts=experts, experts_per_token=chosen)}


def test_the_published_model_has_its_published_size() -> None:
    """The 20B model's counts; none of its 42 GB is allocated."""
    by_part = sizes("medgpt_oss_20b")
    totals = {part: size.total for part, size in by_part.items()}
    assert totals == {"vision": 303_507_456, "projector": 20_104_832, "lm": 20_335_623_744, "head": 579_133_440}
    assert sum(totals.values()) == 21_238_369_472
    assert by_part["lm"].active + by_part["head"].active == 3_608_307_264  # the 3.6 billion of its model card


def test_other_families() -> None:
    totals = {part: size.total for part, size in sizes("internvl3_5_gpt_oss").items()}
    assert totals == {"vision": 304_012_288, "projector": 20_104_832, "lm": 20_335_623_744, "head": 579_133_440}
    by_part = sizes("openmedq")
    assert by_part["lm"].total + by_part["head"].total == 6_738_415_616  # LLaMA-7B
    assert by_part["lm"].total - by_part["lm"].active == 32_000 * 4096
    assert by_part["vision"].total == 85_799_424


def test_only_chosen_experts_are_active() -> None:
    shapes = {
        "model.language_model.layers.0.mlp.experts.down_proj": (8, 3, 5),
        "model.language_model.layers.0.mlp.router.weight": (8, 5),
        "model.language_model.embed_tokens.weight": (10, 5),
        "lm_head.weight": (10, 5),
    }
    lm, head = part_sizes(shapes, experts=8, experts_per_token=2)[2:]
    assert (lm.total, lm.active) == (120 + 40 + 50, 30 + 40)
    assert (head.total, head.active) == (50, 50)

"""Which part learns, and how fast."""

import copy

from osler.model.compose import OslerForConditionalGeneration
from osler.model.freeze import param_groups, part_of
from osler.model.processor import OslerProcessor

Built = tuple[OslerForConditionalGeneration, OslerProcessor]


def trained(built: Built, **rates: float | None) -> tuple[OslerForConditionalGeneration, list[dict]]:
    model = copy.deepcopy(built[0])
    rates = {"vision_lr": None, "projector_lr": None, "lm_lr": None, **rates}
    return model, param_groups(model, weight_decay=0.05, **rates)


def test_alignment_trains_the_projector_alone(built: Built) -> None:
    model, groups = trained(built, projector_lr=1e-3)
    assert {part_of(name) for name, each in model.named_parameters() if each.requires_grad} == {"projector"}
    assert {group["lr"] for group in groups} == {1e-3}


def test_each_part_has_its_own_rate_and_vectors_do_not_decay(built: Built) -> None:
    _, groups = trained(built, vision_lr=1e-5, projector_lr=1e-3, lm_lr=1e-4)
    assert {(group["name"], group["lr"]) for group in groups} == {("vision", 1e-5), ("projector", 1e-3), ("lm", 1e-4)}
    for group in groups:
        assert group["weight_decay"] == (0.05 if group["params"][0].ndim >= 2 else 0.0)


def test_what_the_loss_cannot_reach_stays_frozen(built: Built) -> None:
    model, groups = trained(built, vision_lr=1e-5, projector_lr=1e-3, lm_lr=1e-4)
    frozen = {name for name, each in model.named_parameters() if not each.requires_grad}
    assert frozen == {f"model.vision_tower.post_layernorm.{kind}" for kind in ("weight", "bias")}
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters())) - 2

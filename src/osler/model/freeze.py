"""Which part of the model learns, and how fast."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from osler.model.compose import OslerForConditionalGeneration

# Parts as they are named in a recipe, and the modules that belong to each.
_PARTS = {
    "vision": ("model.vision_tower.",),
    "projector": ("model.multi_modal_projector.",),
    "lm": ("model.language_model.", "lm_head."),
}


def part_of(name: str) -> str:
    """The part (`vision`, `projector`, `lm`) that a parameter belongs to, by its name in the composition."""
    return next(part for part, prefixes in _PARTS.items() if name.startswith(prefixes))


def param_groups(
    model: OslerForConditionalGeneration,
    *,
    vision_lr: float | None,
    projector_lr: float | None,
    lm_lr: float | None,
    weight_decay: float,
) -> list[dict[str, Any]]:
    """Optimizer groups, one or two per trained part; a learning rate of None freezes the part.

    Vectors (norms, biases, sinks) are not decayed. What the loss cannot reach is frozen always, so that no
    optimizer state and no gradient synchronisation waits for it.
    """
    rates = {"vision": vision_lr, "projector": projector_lr, "lm": lm_lr}
    unreached = set(_unreached(model))
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        part = part_of(name)
        parameter.requires_grad_(rates[part] is not None and name not in unreached)
        if parameter.requires_grad:
            groups.setdefault((part, parameter.ndim >= 2), []).append(parameter)
    return [
        {"params": parameters, "lr": rates[part], "weight_decay": weight_decay if decays else 0.0, "name": part}
        for (part, decays), parameters in groups.items()
    ]


def _unreached(model: OslerForConditionalGeneration) -> Iterator[str]:
    """CLIP's last norm and SigLIP's pooling head serve a pooled output that the composition does not use."""
    for name, _ in model.named_parameters():
        if name.startswith("model.vision_tower.") and (".head." in name or _is_clip_pool(model, name)):
            yield name


def _is_clip_pool(model: OslerForConditionalGeneration, name: str) -> bool:
    return model.config.vision_config.model_type == "clip_vision_model" and "post_layernorm" in name

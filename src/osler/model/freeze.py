"""Which part of the model learns, and how fast."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from osler.core.errors import InputError
from osler.model.compose import OslerForConditionalGeneration
from osler.model.sizes import part_of as part_of


def param_groups(
    model: OslerForConditionalGeneration,
    *,
    vision_lr: float | None,
    projector_lr: float | None,
    lm_lr: float | None,
    weight_decay: float,
) -> list[dict[str, Any]]:
    """Optimizer groups, one or two per trained part; a learning rate of None freezes the part.

    A part with low-rank adapters trains these alone: the weights that they adapt stay as they are. Vectors
    (norms, biases, sinks) are not decayed. What the loss cannot reach is frozen always, so that no optimizer
    state and no gradient synchronisation waits for it.

    Raises:
        InputError: a part has adapters but no learning rate.
    """
    rates = {"vision": vision_lr, "projector": projector_lr, "lm": lm_lr}
    unreached = set(_unreached(model))
    adapted = {part_of(name) for name, _ in model.named_parameters() if is_adapter(name)}
    _refuse_idle_adapters(adapted, rates)
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        part = part_of(name)
        learns = rates[part] is not None and name not in unreached
        parameter.requires_grad_(learns and (part not in adapted or is_adapter(name)))
        if parameter.requires_grad:
            groups.setdefault((part, parameter.ndim >= 2), []).append(parameter)
    return [
        {"params": parameters, "lr": rates[part], "weight_decay": weight_decay if decays else 0.0, "name": part}
        for (part, decays), parameters in groups.items()
    ]


def is_adapter(name: str) -> bool:
    """Whether a parameter belongs to a low-rank adapter, by its name."""
    return ".lora_" in name


def _refuse_idle_adapters(adapted: set[str], rates: dict[str, float | None]) -> None:
    idle = sorted(part for part in adapted if rates[part] is None)
    if idle:
        raise InputError(
            f"part {idle[0]!r} has adapters but is frozen", fix=f"Give {idle[0]}_lr a value, or drop its lora targets."
        )


def _unreached(model: OslerForConditionalGeneration) -> Iterator[str]:
    """CLIP's last norm and SigLIP's pooling head serve a pooled output that the composition does not use."""
    for name, _ in model.named_parameters():
        if name.startswith("model.vision_tower.") and (".head." in name or _is_clip_pool(model, name)):
            yield name


def _is_clip_pool(model: OslerForConditionalGeneration, name: str) -> bool:
    return model.config.vision_config.model_type == "clip_vision_model" and "post_layernorm" in name

"""Low-rank adapters (LoRA, arXiv 2106.09685) on chosen modules of chosen parts, put in place by PEFT.

The model stays of its own class and keeps its names; an adapted module holds its frozen weight as `base_layer`.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model_state_dict, inject_adapter_in_model, set_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import load_file, save_file
from torch import nn

from osler.core.errors import InputError, did_you_mean
from osler.core.files import existing_file, read_json, write_json
from osler.model.compose import OslerForConditionalGeneration
from osler.model.sizes import PARTS, part_of

_CONFIG_FILE, _WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"
# PEFT's files name modules as its own wrapper sees them.
_WRAPPER = "base_model.model."


def attach(
    model: OslerForConditionalGeneration,
    *,
    rank: int,
    alpha: float,
    targets: Iterable[str],
    dropout: float = 0.0,
    seed: int = 0,
) -> list[str]:
    """Put adapters on the linear modules that `targets` name, in place, and return these modules' names.

    The model computes what it did before: the second matrix of each pair begins at zero. Choose what learns
    with `freeze.param_groups` afterwards.

    Args:
        model: without adapters.
        rank: of the two matrices.
        alpha: the product is scaled by alpha / rank.
        targets: module names, the last word of their path (`q_proj`) or more words of it (`self_attn.q_proj`). A
            bare name means the language model's; `vision.q_proj` and `projector.linear_1` mean the other parts'.
        dropout: share of the adapters' inputs that is dropped in training.
        seed: of the first matrices.

    Raises:
        InputError: a target matches no linear module, or names the head.
    """
    wanted = list(targets)
    if not wanted or rank < 1:
        raise InputError("lora needs a rank of at least 1 and a target", got=f"rank {rank}, targets {wanted}")
    if any(isinstance(module, BaseTunerLayer) for module in model.modules()):
        raise InputError("the model has adapters already", fix="Merge them first.")
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    chosen = sorted({name for target in wanted for name in _matching(target, linear)})
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=chosen, lora_dropout=dropout, bias="none")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inject_adapter_in_model(config, model)
    return chosen


def merge(model: OslerForConditionalGeneration) -> OslerForConditionalGeneration:
    """Add every adapter's product to its weight and take the adapters away, in place."""
    adapted = [(name, module) for name, module in model.named_modules() if isinstance(module, BaseTunerLayer)]
    if not adapted:
        raise InputError("the model has no adapters to merge")
    for name, module in adapted:
        module.merge()
        model.set_submodule(name, module.get_base_layer())
    del model.peft_config
    return model


@contextmanager
def without_adapters(model: OslerForConditionalGeneration) -> Iterator[None]:
    """Inside, the model is what it was before it had adapters."""
    layers = [module for module in model.modules() if isinstance(module, BaseTunerLayer)]
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)


def save_adapter(model: OslerForConditionalGeneration, folder: Path, *, base: str) -> None:
    """Write the adapters alone, in PEFT's layout, which `peft.PeftModel.from_pretrained` reads, too.

    Args:
        model: with adapters.
        folder: made if it is not there.
        base: name or folder of the model that they belong on, noted in the file.
    """
    if not hasattr(model, "peft_config"):
        raise InputError("the model has no adapters to save")
    config = model.peft_config["default"].to_dict() | {"base_model_name_or_path": base, "inference_mode": True}
    config["target_modules"] = sorted(config["target_modules"])
    folder.mkdir(parents=True, exist_ok=True)
    state = get_peft_model_state_dict(model, adapter_name="default")
    tensors = {_WRAPPER + name: tensor.detach().cpu().contiguous() for name, tensor in sorted(state.items())}
    save_file(tensors, folder / _WEIGHTS_FILE, metadata={"format": "pt"})
    write_json(folder / _CONFIG_FILE, {key: _plain(value) for key, value in config.items()})


def load_adapter(model: OslerForConditionalGeneration, folder: Path) -> None:
    """Put saved adapters on the model that they belong on.

    Raises:
        InputError: they do not fit this model.
    """
    config = read_json(existing_file(folder / _CONFIG_FILE))
    attach(
        model,
        rank=config["r"],
        alpha=config["lora_alpha"],
        targets=[_target(name) for name in config["target_modules"]],
        dropout=config["lora_dropout"],
    )
    weights = load_file(existing_file(folder / _WEIGHTS_FILE))
    weights = {name.removeprefix(_WRAPPER): tensor for name, tensor in weights.items()}
    wanted = get_peft_model_state_dict(model, adapter_name="default")
    if {name: tensor.shape for name, tensor in wanted.items()} != {n: t.shape for n, t in weights.items()}:
        raise InputError(f"the adapters in {folder} do not fit this model")
    set_peft_model_state_dict(model, weights, adapter_name="default")


def _matching(target: str, linear: list[str]) -> Iterator[str]:
    part, _, rest = target.partition(".")
    part, rest = (part, rest) if part in PARTS and rest else ("lm", target)
    if rest.rpartition(".")[2] == "lm_head":
        raise InputError(
            "lora cannot adapt lm_head", fix="The loss is taken from its weight directly. Name other modules."
        )
    of_part = [name for name in linear if name != "lm_head" and part_of(name) == part]
    found = [name for name in of_part if f".{name}".endswith(f".{rest}")]
    if not found:
        known = sorted({name.rpartition(".")[2] for name in of_part})
        raise InputError(
            f"lora target {target!r} matches no linear module of part {part!r}",
            expected=f"one of {', '.join(known)}",
            fix=did_you_mean(rest, known),
        )
    yield from found


def _target(name: str) -> str:
    return f"{part_of(name)}.{name}"


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)

"""Which implementations of attention and of the experts' products a model may run on, and which are refused by name.

GPT-oss adds a learned score, the sink, to every softmax. An implementation that leaves it out computes another model
without an error, and one whose backward pass leaves it out trains another.
"""

from collections.abc import Mapping

import torch
from transformers.utils.import_utils import is_flash_attn_4_available

from osler.core.errors import InputError, did_you_mean
from osler.model.config import OslerConfig

ATTENTION = (
    "eager",
    "sdpa",
    "flex_attention",
    "flash_attention_2",
    "flash_attention_3",
    "flash_attention_4",
    "kernels-community/vllm-flash-attn3",
)
EXPERTS = ("eager", "batched_mm", "grouped_mm")
AUTO = "auto"
_PARTS = ("text_config", "vision_config")
_HAS_SINKS = {"gpt_oss"}
# Why an implementation is refused for a language model with sinks, always or in training only.
_NO_SINKS = {
    "sdpa": "scaled_dot_product_attention has no sinks",
    "flash_attention_2": "its kernels have no sinks",
    "flash_attention_3": "its kernels have no sinks",
}
_NO_SINK_GRADIENT = {"kernels-community/vllm-flash-attn3": "its backward pass has no sinks"}
_FLASH_4_CAPABILITY = (9, 0)


def settle(
    config: OslerConfig,
    *,
    attention: Mapping[str, str],
    experts: str | None,
    device: str,
    training: bool,
    capability: tuple[int, int] | None = None,
) -> tuple[dict[str, str], str | None]:
    """The same choices with `auto` replaced by what `choose` says, and checked; arguments and errors as in `check`."""
    best, best_experts = choose(config, device, training=training, capability=capability)
    settled = {part: best.get(part, chosen) if chosen == AUTO else chosen for part, chosen in attention.items()}
    experts = best_experts if experts == AUTO else experts
    check(config, attention=settled, experts=experts, device=device, training=training, capability=capability)
    return settled, experts


def check(
    config: OslerConfig,
    *,
    attention: Mapping[str, str],
    experts: str | None,
    device: str,
    training: bool,
    capability: tuple[int, int] | None = None,
) -> None:
    """Refuse what would fail later or, worse, would not fail.

    Args:
        config: of the composition.
        attention: implementation per part (`text_config`, `vision_config`).
        experts: implementation of the experts' products; None leaves transformers' choice.
        device: torch device name.
        training: whether gradients will be taken.
        capability: CUDA compute capability, for a GPU that is not at hand; None asks the device.

    Raises:
        InputError: says which choice, why, and what to write in its place.
    """
    capability = _capability(device) if capability is None else capability
    best, _ = choose(config, device, training=training, capability=capability)
    for part in attention:
        if part not in _PARTS:
            raise InputError(f"attention of {part!r}", expected=" or ".join(_PARTS), fix=did_you_mean(part, _PARTS))
    for part in _PARTS:
        chosen = attention.get(part)
        if chosen is None:
            raise InputError(f"attention says nothing of {part}", fix=f"Write {part}: {best[part]}.")
        reason = _refusal(getattr(config, part).model_type, chosen, device, training=training, capability=capability)
        if reason:
            raise InputError(f"attention {chosen!r} for {part}: {reason}", fix=f"Use {best[part]}.")
    if experts is not None and experts not in EXPERTS:
        raise InputError(f"experts {experts!r}", expected=", ".join(EXPERTS), fix=did_you_mean(experts, EXPERTS))


def choose(
    config: OslerConfig, device: str, *, training: bool, capability: tuple[int, int] | None = None
) -> tuple[dict[str, str], str]:
    """What `auto` means: the fastest implementations that are right, per part, and that of the experts.

    A language model with sinks runs on eager on a CPU. On a GPU it trains on flex_attention, because packed rows
    whose questions share an image need a mask that flash kernels do not take, and answers on flash_attention_4
    where the GPU and the installed packages allow it.
    """
    kind, gpu = config.text_config.model_type, _kind(device) == "cuda"
    capability = _capability(device) if capability is None else capability
    if kind not in _HAS_SINKS:
        text = "sdpa"
    elif not gpu:
        text = "eager"
    elif training or _refusal(kind, "flash_attention_4", device, training=training, capability=capability):
        text = "flex_attention"
    else:
        text = "flash_attention_4"
    return {"text_config": text, "vision_config": "sdpa"}, "grouped_mm" if gpu else "eager"


def in_use(config: OslerConfig) -> str:
    """The implementations of a model that is built, in words."""
    attention = ", ".join(f"{part} {getattr(config, part)._attn_implementation}" for part in _PARTS)
    experts = getattr(config.text_config, "_experts_implementation", None)
    return f"attention of {attention}" + (f"; experts {experts}" if experts else "")


def _refusal(kind: str, chosen: str, device: str, *, training: bool, capability: tuple[int, int] | None) -> str:
    """Why `chosen` cannot be used for a part of this kind, or the empty string."""
    if chosen not in ATTENTION:
        return f"there is no such implementation. {did_you_mean(chosen, ATTENTION)}".strip()
    if kind in _HAS_SINKS and chosen in _NO_SINKS:
        return _NO_SINKS[chosen]
    if kind in _HAS_SINKS and training and chosen in _NO_SINK_GRADIENT:
        return _NO_SINK_GRADIENT[chosen]
    if _kind(device) != "cuda" and chosen not in ("eager", "sdpa"):
        return f"it does not run on {device}"
    if chosen == "flash_attention_4" and (capability or (0, 0)) < _FLASH_4_CAPABILITY:
        have = "unknown" if capability is None else ".".join(map(str, capability))
        return f"it needs compute capability 9.0 or higher; this GPU's is {have}"
    if chosen == "flash_attention_4" and not is_flash_attn_4_available():
        return "the package flash-attn-4 is not installed"
    return ""


def _kind(device: str) -> str:
    return device.partition(":")[0]


def _capability(device: str) -> tuple[int, int] | None:
    if _kind(device) != "cuda" or not torch.cuda.is_available():
        return None
    major, minor = torch.cuda.get_device_capability(device)
    return int(major), int(minor)

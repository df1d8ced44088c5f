"""Models on disk: safetensors, JSON and a tokenizer, loaded with transformers' Auto classes or not at all."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging as transformers_logging

from osler.core.errors import InputError
from osler.core.files import existing_file, existing_folder, read_json
from osler.model import compose, kernels, processor
from osler.model.compose import OslerForConditionalGeneration
from osler.model.config import OslerConfig
from osler.model.processor import OslerProcessor


def save(model: OslerForConditionalGeneration, processing: OslerProcessor, folder: Path) -> None:
    """Write weights, configuration, tokenizer and processor to `folder`."""
    model.save_pretrained(folder)
    processing.save_pretrained(folder)


def load(
    folder: Path,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    attention: dict[str, str] | None = None,
    experts: str | None = None,
    on_device: bool = True,
) -> tuple[OslerForConditionalGeneration, OslerProcessor]:
    """Read a model folder.

    Args:
        folder: what `save` wrote.
        device: torch device name of where it will run.
        dtype: of the weights in memory.
        attention: implementation per part, `{"text_config": "eager", "vision_config": "sdpa"}`.
        experts: implementation of the expert products (`eager`, `grouped_mm`); None leaves transformers' choice.
        on_device: move the weights there; if not, they stay on the CPU.

    Raises:
        InputError: no model there or one of another kind, an implementation that this model cannot run on, or a
            tensor is missing, unexpected or of another shape.
    """
    attention = attention or {"text_config": "eager", "vision_config": "sdpa"}
    attention, experts = kernels.settle(
        configuration(folder), attention=attention, experts=experts, device=device, training=False
    )
    options: dict[str, Any] = {
        "attn_implementation": attention,
        # So that a wrong shape reaches the report below, which names the tensor.
        "ignore_mismatched_sizes": True,
    }
    if experts is not None:
        options["experts_implementation"] = {"text_config": experts}
    try:
        model, report = AutoModelForImageTextToText.from_pretrained(
            folder, dtype=dtype, output_loading_info=True, local_files_only=True, **options
        )
    except (RuntimeError, OSError) as error:
        raise InputError(f"cannot load the model in {folder}: {error}") from error
    _refuse_differences(folder, report)
    model = model.to(device) if on_device else model
    return model.eval(), AutoProcessor.from_pretrained(folder, local_files_only=True)


def skeleton(
    folder: Path, *, dtype: torch.dtype, attention: dict[str, str], experts: str | None
) -> tuple[OslerForConditionalGeneration, OslerProcessor]:
    """What `load` returns, without a weight: the model's tensors have shapes and no memory (the meta device)."""
    with torch.device("meta"):
        model = OslerForConditionalGeneration(configuration(folder))
    model.set_attn_implementation(attention)
    if experts is not None:
        model.set_experts_implementation({"text_config": experts})
    return model.to(dtype), AutoProcessor.from_pretrained(folder, local_files_only=True)


def configuration(folder: Path) -> OslerConfig:
    """The configuration of a model folder, read without its weights.

    Raises:
        InputError: no model there, or one of another kind.
    """
    file = existing_file(existing_folder(Path(folder)) / "config.json")
    model_type = read_json(file).get("model_type")
    if model_type != OslerConfig.model_type:
        raise InputError(
            f"{folder} is no Osler model",
            expected=f"model_type {OslerConfig.model_type}",
            got=str(model_type),
            fix="A published part is named in a recipe under model: {family: ..., parts: ...}.",
        )
    register()
    return OslerConfig.from_pretrained(folder, local_files_only=True)


def register() -> None:
    """Teach transformers' Auto classes everything a model folder names."""
    compose.register()
    processor.register()
    transformers_logging.disable_progress_bar()  # our own bar says how far the work is


def _refuse_differences(folder: Path, report: dict[str, Any]) -> None:
    """A weight that is missing would be random, an unexpected one unused: both are errors, never warnings."""
    kinds = {"missing": "missing_keys", "unexpected": "unexpected_keys", "mis-shaped": "mismatched_keys"}
    problems = [
        f"{len(report[key])} {kind} ({', '.join(sorted(map(str, report[key]))[:3])})"
        for kind, key in kinds.items()
        if report.get(key)
    ]
    if problems:
        raise InputError(
            f"the weights in {folder} do not fit its config.json: {'; '.join(problems)}",
            fix="Use the files of one and the same model.",
        )

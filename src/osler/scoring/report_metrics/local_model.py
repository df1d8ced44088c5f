"""Models and tokenizers of the transformers library from a local folder: safetensors only, nothing fetched, no code."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoTokenizer
from transformers.utils import logging as transformers_logging

from osler.core.errors import InputError


def load_tokenizer(folder: Path) -> Any:
    """The fast tokenizer of a folder."""
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder} holds no tokenizer that can be read: {_line(error)}") from error


def load_model(kind: Any, folder: Path, device: str) -> Any:
    """A model by its Auto class, in evaluation mode. Raises InputError where it cannot be read or lacks a weight."""
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        model, report = kind.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(f"{folder} holds no model that can be read: {_line(error)}") from error
    finally:
        transformers_logging.set_verbosity(before)
    lacking = sorted(name for name in report["missing_keys"] if not name.startswith("pooler."))
    if lacking:
        raise InputError(f"{folder} lacks weights of its model", got=f"no {', '.join(lacking[:3])} ({len(lacking)})")
    return model.eval().to(device)


def bare_model(kind: Any, folder: Path) -> Any:
    """A model of the folder's configuration with weights still to be filled."""
    return kind.from_config(AutoConfig.from_pretrained(folder, local_files_only=True)).eval()


def fill(modules: Mapping[str, torch.nn.Module], path: Path, *, ignored: Sequence[str] = ()) -> None:
    """Fill modules from one safetensors file by the prefix of their names in it.

    Raises:
        InputError: a weight is missing, has another shape, or belongs to no module and has no prefix of `ignored`.
    """
    state = load_file(path)
    for prefix, module in modules.items():
        own = {name[len(prefix) :]: state.pop(name) for name in list(state) if name.startswith(prefix)}
        own = {name: tensor for name, tensor in own.items() if not name.endswith("position_ids")}
        try:
            module.load_state_dict(own, strict=True)
        except RuntimeError as error:
            raise InputError(f"{path}: weights below {prefix!r} do not fit: {_line(error)}") from error
    left = [name for name in state if not name.startswith(tuple(ignored))] if ignored else list(state)
    if left:
        raise InputError(f"{path} holds weights of another model", got=f"{left[0]} and {len(left) - 1} more")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]

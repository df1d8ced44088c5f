"""A published checkpoint made into safetensors, once and offline, so that no pickle is read afterwards.

torch's `weights_only` reader runs nothing that a pickle names except the making of tensors and plain containers.
"""

from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import existing_file


def convert_checkpoint(source: Path, target: Path) -> int:
    """Write the tensors of a torch checkpoint to `target`; returns how many.

    A mapping that holds the tensors under `model_state_dict` or `state_dict` is opened, and the `module.` that
    training on several devices puts before every name is taken away.

    Raises:
        InputError: the file is no checkpoint of tensors, or names code that would have to run.
    """
    import torch
    from safetensors.torch import save_file

    try:
        state = torch.load(existing_file(source), map_location="cpu", weights_only=True)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{source} is no checkpoint of tensors: {' '.join(str(error).split())[:200]}") from error
    tensors = _tensors(state, source)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, part)
    part.replace(target)
    return len(tensors)


def _tensors(state: Any, source: Path) -> dict[str, Any]:
    for key in ("model_state_dict", "state_dict"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not state or not all(hasattr(value, "contiguous") for value in state.values()):
        raise InputError(f"{source} holds other things than named tensors")
    return {str(name).removeprefix("module."): tensor for name, tensor in state.items()}

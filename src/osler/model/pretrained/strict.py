"""Weights into a module, all of them and nothing else: what is missing, unexpected or of another shape is an error."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from accelerate import init_empty_weights
from safetensors import safe_open
from torch import nn

from osler.core.errors import InputError
from osler.model.headers import read_headers

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_CONVERT = (
    "On a machine that holds nothing of value and has no network, read it with torch.load(weights_only=True) and write "
    "its tensors with safetensors.torch.save_file: docs/how-to/pretrain-an-encoder.md shows how."
)

M = TypeVar("M", bound=nn.Module)


def read_tensors(
    folder: Path, *, keep: Callable[[str], bool] = lambda name: True, file: str | None = None
) -> dict[str, torch.Tensor]:
    """The tensors of all safetensors files of a folder whose names `keep` accepts; floating point as float32.

    `file` is read alone where the folder has it: some hold the same weights in a second layout.
    """
    by_file: dict[Path, list[str]] = {}
    for name, header in read_headers(folder, file=file).items():
        if keep(name):
            by_file.setdefault(header.file, []).append(name)
    found = {}
    for path, names in by_file.items():
        with safe_open(path, "pt") as tensors:
            for name in names:
                tensor = tensors.get_tensor(name)
                found[name] = tensor.float() if tensor.is_floating_point() else tensor
    return found


def filled(build: Callable[[], M], tensors: Mapping[str, torch.Tensor], source: Path) -> M:
    """The module that `build` makes, with `tensors` as its weights.

    Args:
        build: makes the module; its parameters get no memory.
        tensors: by the module's own names.
        source: named in errors.

    Raises:
        InputError: a tensor is missing, unexpected or of another shape; up to three of each are named.
    """
    with init_empty_weights(include_buffers=False):
        module = build()
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    refuse_differences(wanted, {name: tuple(tensor.shape) for name, tensor in tensors.items()}, source)
    module.load_state_dict(dict(tensors), strict=True, assign=True)
    for parameter in module.parameters():
        parameter.requires_grad_(True)
    return module.eval()


def refuse_differences(
    wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]], source: Path
) -> None:
    """Compare names and shapes. A weight that is missing would be random, an unexpected one unused."""
    shapes = [
        f"{name} {list(found[name])} for {list(wanted[name])}"
        for name in sorted(wanted.keys() & found.keys())
        if found[name] != wanted[name]
    ]
    problems = {
        "missing": sorted(wanted.keys() - found.keys()),
        "unexpected": sorted(found.keys() - wanted.keys()),
        "mis-shaped": shapes,
    }
    said = [f"{len(names)} {kind} ({', '.join(names[:3])})" for kind, names in problems.items() if names]
    if said:
        raise InputError(
            f"the weights in {source} do not fit their configuration: {'; '.join(said)}",
            fix="Use the files of one and the same model.",
        )


def refuse_pickles(folder: Path, conversion: str = "") -> None:
    """Raise InputError where a folder has no safetensors file; a pickle can run any program while it is read.

    Args:
        folder: of a model.
        conversion: what this model needs beside the general advice.
    """
    if any(folder.glob("*.safetensors")):
        return
    found = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    if found:
        raise InputError(
            f"{folder / found[0]} is a pickle, which can run any program while it is read",
            expected="weights as safetensors",
            fix=f"{conversion} {_CONVERT}".strip(),
        )
    raise InputError(f"{folder} holds no weights", expected="safetensors files beside the configuration")

"""Weights on disk, read and written tensor by tensor: safetensors shards and their index.

A folder of 40 GB is rewritten with one tensor in memory at a time. Format: https://github.com/huggingface/safetensors,
README, section Format: eight bytes of header size, a JSON header, then the tensors' bytes without gaps.
"""

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from osler.core.errors import InputError
from osler.core.files import atomic_write, existing_file, existing_folder, read_json, write_json
from osler.core.log import Log

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
_DTYPE_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


@dataclass(frozen=True)
class TensorSpec:
    """A tensor's name, shape and type, known before its values are."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def num_bytes(self) -> int:
        """Size of the values in bytes."""
        return prod(self.shape) * int(self.dtype.itemsize)


@dataclass(frozen=True)
class Piece:
    """Tensors that are made together, from one tensor of the source; `make` is called when they are written."""

    specs: tuple[TensorSpec, ...]
    make: Callable[[], tuple[torch.Tensor, ...]]

    @property
    def num_bytes(self) -> int:
        """Size of all values in bytes."""
        return sum(spec.num_bytes for spec in self.specs)


class Weights:
    """The tensors of a model folder. A tensor's values are read when asked for and kept nowhere.

    Args:
        folder: holds `model.safetensors`, or shards with their index.

    Raises:
        InputError: no weights there, a file is broken, or the index names a tensor that its file does not hold.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = existing_folder(folder)
        index = folder / INDEX
        places = read_json(index)["weight_map"] if index.is_file() else None
        files = sorted(set(places.values())) if places else [SINGLE]
        self._opened = {name: _opened(existing_file(folder / name)) for name in files}
        self._places: dict[str, str] = {key: name for name, file in self._opened.items() for key in file.keys()}  # noqa: SIM118
        lost = sorted(set(places or {}) - self._places.keys())
        if lost:
            raise InputError(f"{index} names {lost[0]}, which no file of {folder} holds", fix="Copy the model again.")

    def specs(self) -> list[TensorSpec]:
        """Every tensor, in the order of names; layer 2 comes before layer 10."""
        return [self.spec(name) for name in sorted(self._places, key=_natural)]

    def spec(self, name: str) -> TensorSpec:
        """The tensor's shape and type, read from the file's header."""
        header = self._opened[self._places[name]].get_slice(name)
        return TensorSpec(name, tuple(header.get_shape()), _DTYPES[header.get_dtype()])

    def read(self, name: str) -> torch.Tensor:
        """The tensor's values."""
        return self._opened[self._places[name]].get_tensor(name)


def copied(weights: Weights, spec: TensorSpec, *, name: str | None = None) -> Piece:
    """The tensor as it is, under another name if one is given; floating-point values are rounded to bfloat16."""
    dtype = torch.bfloat16 if spec.dtype.is_floating_point else spec.dtype
    return Piece((TensorSpec(name or spec.name, spec.shape, dtype),), lambda: (weights.read(spec.name).to(dtype),))


def write_weights(
    folder: Path, pieces: Sequence[Piece], *, max_shard_bytes: int, log: Log, single: str = SINGLE
) -> int:
    """Write shards of at most `max_shard_bytes` (a single larger piece gets its own) and, for several, their index.

    `single` is the file's name where there is one alone.

    Each shard appears whole or not at all. A shard that is there with the right size is kept: a cut run continues.

    Returns:
        Bytes of all values.
    """
    shards = _shards(pieces, max_shard_bytes)
    names = _shard_names(len(shards), single)
    for name, shard in zip(names, shards, strict=True):
        header = _header(shard)
        size = len(header) + sum(piece.num_bytes for piece in shard)
        path = folder / name
        if path.is_file() and path.stat().st_size == size:
            continue
        log.info(f"writing {name}: {size / 2**20:.1f} MiB")
        _write_shard(path, header, shard)
    total = sum(piece.num_bytes for piece in pieces)
    if len(shards) > 1:
        weight_map = {spec.name: name for name, shard in zip(names, shards, strict=True) for spec in _specs(shard)}
        write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": weight_map})
    return total


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, framework="pt")
    except SafetensorError as error:
        raise InputError(f"cannot read {path}: {error}", fix="Copy the model again.") from error


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]


def _shards(pieces: Sequence[Piece], max_bytes: int) -> list[list[Piece]]:
    shards: list[list[Piece]] = [[]]
    for piece in pieces:
        if shards[-1] and sum(each.num_bytes for each in shards[-1]) + piece.num_bytes > max_bytes:
            shards.append([])
        shards[-1].append(piece)
    # Wide types first: with no gaps between tensors, each then begins at a multiple of its own width.
    return [sorted(shard, key=lambda piece: -piece.specs[0].dtype.itemsize) for shard in shards]


def _shard_names(count: int, single: str) -> list[str]:
    return [single] if count == 1 else [f"model-{n:05d}-of-{count:05d}.safetensors" for n in range(1, count + 1)]


def _specs(shard: Sequence[Piece]) -> list[TensorSpec]:
    return [spec for piece in shard for spec in piece.specs]


def _header(shard: Sequence[Piece]) -> bytes:
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for spec in _specs(shard):
        start, end = end, end + spec.num_bytes
        entries[spec.name] = {
            "dtype": _DTYPE_NAMES[spec.dtype],
            "shape": list(spec.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _write_shard(path: Path, header: bytes, shard: Sequence[Piece]) -> None:
    with atomic_write(path) as file:
        file.write(header)
        for piece in shard:
            for spec, tensor in zip(piece.specs, piece.make(), strict=True):
                if (tuple(tensor.shape), tensor.dtype) != (spec.shape, spec.dtype):
                    raise ValueError(f"{spec.name} was planned as {spec.shape} {spec.dtype}, made as {tensor.shape}")
                file.write(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)

"""What a folder of safetensors holds, read from the files' headers: names, shapes and kinds, but no weight."""

import json
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import InputError
from osler.core.files import existing_folder

# A header is JSON of some hundred bytes a tensor; a longer one means that the file is something else.
_MAX_HEADER_BYTES = 100 * 2**20


@dataclass(frozen=True)
class Header:
    """One stored tensor: the file it is in, its shape, and its kind (`BF16`, `U8`, ...)."""

    file: Path
    shape: tuple[int, ...]
    kind: str


def read_headers(folder: Path, *, file: str | None = None) -> dict[str, Header]:
    """The tensors of all safetensors files of a folder, by name; of `file` alone, where it is there.

    Raises:
        InputError: no such file there, a file is cut or no safetensors file, or a name occurs twice.
    """
    files = sorted(existing_folder(folder).glob("*.safetensors"))
    files = [path for path in files if path.name == file] or files
    if not files:
        raise InputError(
            f"{folder} holds no weights", expected="safetensors files", fix="Pickled weights are not read."
        )
    found: dict[str, Header] = {}
    for path in files:
        for name, header in _header(path).items():
            if name in found:
                raise InputError(f"tensor {name!r} is in {found[name].file.name} and in {path.name} of {folder}")
            found[name] = header
    return found


def _header(file: Path) -> dict[str, Header]:
    """The format: 8 bytes of length, little-endian, then that much JSON, then the data."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= _MAX_HEADER_BYTES:
            raise InputError(f"{file} is no safetensors file")
        try:
            entries = json.loads(stream.read(length))
        except ValueError as error:
            raise InputError(f"{file} is cut or no safetensors file") from error
    entries.pop("__metadata__", None)
    end = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    if file.stat().st_size != 8 + length + end:
        raise InputError(f"{file} is cut", expected=f"{8 + length + end} bytes", got=str(file.stat().st_size))
    return {name: Header(file, tuple(entry["shape"]), entry["dtype"]) for name, entry in entries.items()}

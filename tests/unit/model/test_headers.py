"""What safetensors folders hold, without reading weights."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from osler.core.errors import InputError
from osler.model.headers import read_headers


def test_names_shapes_and_kinds_over_several_files(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2, 3, dtype=torch.bfloat16)}, tmp_path / "1.safetensors", metadata={"format": "pt"})
    save_file({"b": torch.zeros(4, dtype=torch.uint8)}, tmp_path / "2.safetensors")
    found = read_headers(tmp_path)
    assert {name: (each.file.name, each.shape, each.kind) for name, each in found.items()} == {
        "a": ("1.safetensors", (2, 3), "BF16"),
        "b": ("2.safetensors", (4,), "U8"),
    }


def test_a_name_in_two_files_is_an_error(tmp_path: Path) -> None:
    for number in range(2):
        save_file({"a": torch.zeros(1)}, tmp_path / f"{number}.safetensors")
    with pytest.raises(InputError, match="'a' is in 0.safetensors and in 1.safetensors"):
        read_headers(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "no safetensors file"), (b"\xff" * 20, "no safetensors"), (b"\x08" + b"\0" * 20, "cut")],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_headers(tmp_path)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(100)}, file)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InputError, match="is cut; expected"):
        read_headers(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no weights"):
        read_headers(tmp_path)

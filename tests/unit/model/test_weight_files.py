"""Weights read and written tensor by tensor: equal to safetensors' own, whole after a cut."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from osler.core.errors import InputError
from osler.core.files import read_json
from osler.core.log import Log
from osler.model.weight_files import INDEX, Piece, TensorSpec, Weights, copied, write_weights

TENSORS = {
    "a.10.weight": torch.arange(12, dtype=torch.float32).reshape(3, 4) / 7,
    "a.2.weight": torch.ones(5, dtype=torch.float16),
    "b.bytes": torch.arange(7, dtype=torch.uint8),
    "c.scalar": torch.tensor(1.5),
    "d.count": torch.tensor([3], dtype=torch.int64),
}
QUIET = Log(quiet=True)


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    folder = tmp_path / "in"
    folder.mkdir()
    save_file(TENSORS, folder / "model.safetensors", metadata={"format": "pt"})
    return Weights(folder)


def pieces(weights: Weights) -> list[Piece]:
    return [copied(weights, spec) for spec in weights.specs()]


def loaded(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}


def test_tensors_come_in_natural_order_with_shape_and_type(weights: Weights) -> None:
    assert [spec.name for spec in weights.specs()][:2] == ["a.2.weight", "a.10.weight"]
    assert weights.spec("a.10.weight") == TensorSpec("a.10.weight", (3, 4), torch.float32)
    assert torch.equal(weights.read("b.bytes"), TENSORS["b.bytes"])


@pytest.mark.parametrize("max_shard_bytes", [1, 20, 10_000])
def test_safetensors_reads_what_is_written(weights: Weights, tmp_path: Path, max_shard_bytes: int) -> None:
    out = tmp_path / "out"
    total = write_weights(out, pieces(weights), max_shard_bytes=max_shard_bytes, log=QUIET)
    found = loaded(out)
    for name, tensor in TENSORS.items():
        assert torch.equal(found[name], tensor.bfloat16() if tensor.is_floating_point() else tensor)
    assert total == sum(tensor.nbytes for tensor in found.values())
    if max_shard_bytes > total:
        assert [path.name for path in out.iterdir()] == ["model.safetensors"]
    else:
        index = read_json(out / INDEX)
        assert index["metadata"]["total_size"] == total
        assert sorted(index["weight_map"]) == sorted(TENSORS)
        assert set(index["weight_map"].values()) == {path.name for path in out.glob("*.safetensors")}
    again = Weights(out)
    assert all(torch.equal(again.read(name), found[name]) for name in TENSORS)


def test_a_cut_export_continues_and_ends_with_the_same_bytes(weights: Weights, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    write_weights(whole, pieces(weights), max_shard_bytes=20, log=QUIET)

    def broken() -> tuple[torch.Tensor, ...]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_weights(
            cut, [*pieces(weights)[:-1], Piece(pieces(weights)[-1].specs, broken)], max_shard_bytes=20, log=QUIET
        )
    finished = {path.name: path.stat().st_mtime_ns for path in cut.iterdir()}
    assert finished
    assert not any(name.endswith(".part") for name in finished)
    write_weights(cut, pieces(weights), max_shard_bytes=20, log=QUIET)
    assert {path.name: path.read_bytes() for path in cut.iterdir()} == {
        path.name: path.read_bytes() for path in whole.iterdir()
    }
    assert all((cut / name).stat().st_mtime_ns == time for name, time in finished.items())


def test_a_shard_of_the_wrong_size_is_written_again(weights: Weights, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"short")
    write_weights(tmp_path, pieces(weights), max_shard_bytes=10_000, log=QUIET)
    assert sorted(loaded(tmp_path)) == sorted(TENSORS)


def test_one_tensor_at_a_time_is_read(weights: Weights, tmp_path: Path) -> None:
    """Nothing is made before it is written, and one piece after the other."""
    order: list[str] = []

    def counted(piece: Piece) -> Piece:
        def make() -> tuple[torch.Tensor, ...]:
            order.append(piece.specs[0].name)
            return piece.make()

        return Piece(piece.specs, make)

    write_weights(tmp_path, [counted(piece) for piece in pieces(weights)], max_shard_bytes=1, log=QUIET)
    assert order == [spec.name for spec in weights.specs()]


def test_broken_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model.safetensors; expected a file"):
        Weights(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(InputError, match=r"cannot read .*model.safetensors"):
        Weights(tmp_path)
    save_file(TENSORS, tmp_path / "model.safetensors")
    (tmp_path / INDEX).write_text('{"weight_map": {"lost": "model.safetensors"}}')
    with pytest.raises(InputError, match="names lost, which no file"):
        Weights(tmp_path)


def test_a_piece_that_is_not_what_was_planned_is_a_bug(tmp_path: Path) -> None:
    wrong = Piece((TensorSpec("a", (2,), torch.float32),), lambda: (torch.zeros(3),))
    with pytest.raises(ValueError, match="was planned as"):
        write_weights(tmp_path, [wrong], max_shard_bytes=10, log=QUIET)

"""Model folders: saved, loaded with transformers' Auto classes, refused when they do not fit."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText, AutoProcessor

from osler.core.errors import InputError
from osler.model import checkpoint
from osler.model.compose import OslerForConditionalGeneration
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter
from toy import samples

Built = tuple[OslerForConditionalGeneration, OslerProcessor]


@pytest.fixture
def folder(built: Built, tmp_path: Path) -> Path:
    checkpoint.save(*built, tmp_path)
    return tmp_path


def test_auto_classes_read_it_back(built: Built, folder: Path) -> None:
    model = AutoModelForImageTextToText.from_pretrained(folder)
    processing = AutoProcessor.from_pretrained(folder)
    for (name, saved), (other_name, loaded) in zip(
        built[0].state_dict().items(), model.state_dict().items(), strict=True
    ):
        assert name == other_name
        assert torch.equal(saved, loaded)
    assert model.config.vision_config.model_type == "clip_vision_model"
    assert (processing.image_seq_length, processing.image_processor.tile_px) == (36, 96)
    ids = [
        Prompter(each.tokenizer, image_seq_length=36).training(samples(0)[0], [1]).ids
        for each in (built[1], processing)
    ]
    assert ids[0] == ids[1]


@pytest.mark.parametrize(("on_device", "place"), [(True, "meta"), (False, "cpu")])
def test_weights_stay_on_the_cpu_where_an_engine_moves_them(folder: Path, on_device: bool, place: str) -> None:
    model, _ = checkpoint.load(folder, device="meta", on_device=on_device)
    assert {weight.device.type for weight in model.parameters()} == {place}


def test_loaded_model_gives_the_same_scores(built: Built, folder: Path) -> None:
    model, _ = checkpoint.load(folder)
    batch = {
        "input_ids": torch.tensor([[model.config.image_token_id] * 36 + [5, 6]]),
        "pixel_values": torch.randint(0, 256, (1, 3, 96, 96), dtype=torch.uint8),
    }
    with torch.inference_mode():
        assert torch.equal(model(**batch).logits, built[0](**batch).logits)


def test_a_missing_tensor_is_an_error(folder: Path) -> None:
    _rewrite(folder, drop="model.multi_modal_projector.linear_1.weight")
    with pytest.raises(InputError, match=r"1 missing \(model.multi_modal_projector.linear_1.weight\)"):
        checkpoint.load(folder)


def test_an_unexpected_tensor_is_an_error(folder: Path) -> None:
    _rewrite(folder, add={"model.third_tower.weight": torch.zeros(2)})
    with pytest.raises(InputError, match=r"1 unexpected \(model.third_tower.weight\)"):
        checkpoint.load(folder)


def test_a_mis_shaped_tensor_is_an_error(folder: Path) -> None:
    _rewrite(folder, add={"lm_head.weight": torch.zeros(3, 4)})
    with pytest.raises(InputError, match="lm_head.weight"):
        checkpoint.load(folder)


def test_no_model_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config.json.*expected a file"):
        checkpoint.load(tmp_path)


def test_a_checkpoint_of_another_kind_is_refused_before_its_weights(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt_oss"}')
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(InputError, match="is no Osler model; expected model_type osler; got gpt_oss.*parts:"):
        checkpoint.load(tmp_path)


def test_attention_without_sinks_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(InputError, match="'sdpa' for text_config.*has no sinks. Use eager"):
        checkpoint.load(folder, attention={"text_config": "sdpa", "vision_config": "sdpa"})


def test_nothing_pickled_is_written(folder: Path) -> None:
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} <= {".json", ".safetensors", ".jinja"}
    assert json.loads((folder / "config.json").read_text())["model_type"] == "osler"


def _rewrite(folder: Path, *, drop: str = "", add: dict[str, torch.Tensor] | None = None) -> None:
    tensors = {name: tensor for name, tensor in load_file(folder / "model.safetensors").items() if name != drop}
    save_file({**tensors, **(add or {})}, folder / "model.safetensors", metadata={"format": "pt"})

"""What every encoder owes: it says where it comes from, refuses what it is not, and what it gives fits together."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    Dinov2Config,
    Dinov2WithRegistersConfig,
    DINOv3ViTConfig,
    PreTrainedConfig,
    ViTConfig,
)

from osler.core.catalog import DUALS, ENCODERS, FAMILIES
from osler.core.errors import InputError
from osler.model import checkpoint, dual
from osler.model.encoder import Encoder, LoadedEncoder, load, open_encoder
from osler.model.pretrained.layout import LAYOUTS

SIZES = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 96, "patch_size": 14}
ALONE: dict[str, PreTrainedConfig] = {
    "dinov2": Dinov2Config(**SIZES, image_size=56),
    "dinov2_with_registers": Dinov2WithRegistersConfig(**SIZES, image_size=56, num_register_tokens=2),
    "dinov3_vit": DINOv3ViTConfig(**SIZES, image_size=56, num_register_tokens=2),
    "vit": ViTConfig(**SIZES, image_size=56),
}
TEXTS = ["the heart is wide", "no effusion on the left"] * 5


@pytest.fixture(params=ENCODERS.names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def any_width(name: str) -> Encoder:
    """The entry at sizes for a test."""
    return dataclasses.replace(ENCODERS.load(name), widths=())


def write(folder: Path, layout: str) -> Path:
    """A folder in one of transformers' layouts, small."""
    if layout in ALONE:
        torch.manual_seed(0)
        AutoModel.from_config(ALONE[layout]).save_pretrained(folder)
    elif layout in {"clip", "siglip"}:
        dual.save(DUALS.load("tiny" if layout == "clip" else "tiny_siglip").build(TEXTS, seed=0), folder)
    return folder


def small(name: str, folder: Path) -> tuple[LoadedEncoder, str] | None:
    layouts = [each for each in ENCODERS.load(name).layouts if each in ALONE or each in {"clip", "siglip"}]
    if not layouts:
        return None
    return load(any_width(name), name, write(folder, layouts[0])), layouts[0]


def test_it_declares_where_it_comes_from(name: str) -> None:
    entry = ENCODERS.load(name)
    assert entry.licence
    assert entry.source.startswith("https://") or entry.source == "osler train"
    assert entry.layouts
    assert set(entry.layouts) <= set(LAYOUTS)
    assert (len(entry.image_mean), len(entry.image_std)) == (3, 3)
    assert len(ENCODERS.summary(name)) > 20


def test_without_weights_it_is_random_by_its_seed_or_refused(name: str) -> None:
    entry = ENCODERS.load(name)
    if entry.random is None:
        with pytest.raises(
            InputError, match=f"encoder '{name}' needs its weights; expected the folder .* Fetch them from"
        ):
            open_encoder(name, None)
        return
    if name != "tiny":  # the others are too large for a test
        return
    first, again, other = (open_encoder(name, None, seed=seed) for seed in (0, 0, 1))
    assert first.weights_sha256 == again.weights_sha256 != other.weights_sha256


def test_towers_and_words_fit_together(name: str, tmp_path: Path) -> None:
    found = small(name, tmp_path)
    if found is None:  # open_clip's layouts: tests/golden/test_open_clip_features.py
        return
    encoder, layout = found
    edge = encoder.image_size
    pixels = torch.rand(2, 3, edge, edge)
    features = encoder.tower(pixels)
    assert (features.shape, features.dtype) == ((2, encoder.width), torch.float32)
    assert features.requires_grad
    features.sum().backward()
    assert any(each.grad is not None and each.grad.abs().max() > 0 for each in encoder.tower.parameters())
    if layout in ALONE:
        with pytest.raises(InputError, match="reads no words: it was trained on images alone"):
            encoder.text_tower()
    else:
        words, pictures = encoder.texts_joint(TEXTS[:3]), encoder.images_joint(features)
        assert words.shape[1] == pictures.shape[1]
        torch.testing.assert_close(words.norm(dim=-1), torch.ones(3))
        assert encoder.logit_scale is not None


def test_other_pixels_are_refused(name: str, tmp_path: Path) -> None:
    found = small(name, tmp_path)
    if found is None:
        return
    edge = found[0].image_size
    for shape in ((1, 3, edge + 14, edge), (1, 1, edge, edge), (3, edge, edge)):
        with pytest.raises(InputError, match=rf"pixels of another size .* expected \[images, 3, {edge}, {edge}\]"):
            found[0].tower(torch.rand(shape))
    with pytest.raises(InputError, match="not normalised; .* got torch.uint8"):
        found[0].tower(torch.zeros(1, 3, edge, edge, dtype=torch.uint8))


def test_weights_that_do_not_fit_are_named(name: str, tmp_path: Path) -> None:
    found = small(name, tmp_path)
    if found is None:
        return
    file = tmp_path / "model.safetensors"
    tensors = load_file(file)
    key = next(each for each in sorted(tensors) if "norm" in each and each.endswith("weight") and "text" not in each)
    lost = {other: each for other, each in tensors.items() if other != key}
    more = {**tensors, "vision_model.extra": torch.zeros(1)}
    wrong = {**tensors, key: torch.zeros(5)}
    for changed, said in ((lost, "1 missing"), (more, "1 unexpected"), (wrong, "1 mis-shaped")):
        save_file(changed, file, metadata={"format": "pt"})
        with pytest.raises(InputError, match=said):
            load(any_width(name), name, tmp_path)


def test_a_pickle_is_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    kind = next(iter(ENCODERS.load(name).layouts))
    config = {"architecture": "vit_tiny_patch16_224"} if kind == "timm_vit" else {"model_type": kind}
    file = "open_clip_config.json" if kind == "open_clip" else "config.json"
    (tmp_path / file).write_text(json.dumps({"model_cfg": {}} if kind == "open_clip" else config))
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(
        InputError, match=r"bin is a pickle, .* expected weights as safetensors\. .*pretrain-an-encoder"
    ):
        open_encoder(name, tmp_path)


def test_another_models_folder_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(InputError, match="is in a layout that is not read; .* got llama"):
        open_encoder(name, tmp_path)
    other = "siglip" if "siglip" not in ENCODERS.load(name).layouts else "dinov2"
    if other in ENCODERS.load(name).layouts:
        return
    write(tmp_path, other)
    with pytest.raises(InputError, match=f"holds no such encoder; expected layout .* got layout {other}"):
        open_encoder(name, tmp_path)


def test_a_published_width_tells_models_apart(name: str, tmp_path: Path) -> None:
    entry = ENCODERS.load(name)
    layouts = [each for each in entry.layouts if each in ALONE or each in {"clip", "siglip"}]
    if not entry.widths or not layouts or name == "tiny":
        return
    with pytest.raises(InputError, match=f"does not hold encoder '{name}'; expected features of {entry.widths[0]}"):
        open_encoder(name, write(tmp_path, layouts[0]))


def test_a_size_that_the_folder_states_goes_before(tmp_path: Path) -> None:
    write(tmp_path, "dinov2")
    assert load(any_width("dinov2"), "dinov2", tmp_path).image_size == 224
    settings = {"do_center_crop": True, "crop_size": {"height": 42, "width": 42}, "image_mean": [0.1] * 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    encoder = load(any_width("dinov2"), "dinov2", tmp_path)
    assert (encoder.image_size, encoder.mean) == (42, (0.1, 0.1, 0.1))
    assert encoder.tower(torch.rand(1, 3, 42, 42)).shape == (1, 64)


def test_a_language_models_tower_is_pooled_over_its_patches(tmp_path: Path) -> None:
    model, processing = FAMILIES.load("tiny").build(TEXTS, seed=0)
    checkpoint.save(model, processing, tmp_path)
    encoder = open_encoder("osler", tmp_path)
    pixels = torch.rand(2, 3, 96, 96)
    with torch.inference_mode():
        patches = model.model.vision_tower(pixel_values=pixels).last_hidden_state[:, 1:]
        torch.testing.assert_close(encoder.tower(pixels), patches.mean(1))
    assert encoder.weights_sha256 != open_encoder("tiny", None).weights_sha256

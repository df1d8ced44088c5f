"""A vision tower alone and a pair for open_clip: the same features once read back, and refused where they cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoImageProcessor, AutoModel

from osler.core.catalog import DUALS
from osler.core.errors import InputError
from osler.core.log import Log
from osler.model import checkpoint, dual, export
from osler.model.dual import Pair
from osler.model.encoder import open_encoder

TEXTS = ["The heart is wide.", "No effusion is seen on the left.", "Two nodules."] * 10


def exported(folder: Path, out: Path, form: str) -> Path:
    config = export.parse({"model": str(folder), "format": form})
    export.run(config, out, device="cpu", log=Log(quiet=True))
    return out / "model"


def pixels() -> torch.Tensor:
    return torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Pair, Path]:
    made = DUALS.load("tiny").build(TEXTS, seed=0)
    made.model.config.logit_bias = -9.5
    dual.save(made, tmp_path / "pair")
    return made, tmp_path / "pair"


def test_the_tower_of_a_language_model_alone(built: Any, tmp_path: Path) -> None:
    checkpoint.save(*built, tmp_path / "vlm")
    out = exported(tmp_path / "vlm", tmp_path / "out", "tower")
    model = AutoModel.from_pretrained(out).eval()
    assert type(model) is type(built[0].model.vision_tower)
    with torch.inference_mode():
        theirs, ours = (each(pixel_values=pixels()).last_hidden_state for each in (model, built[0].model.vision_tower))
    assert torch.equal(theirs, ours)
    whole, alone = open_encoder("osler", tmp_path / "vlm"), open_encoder("osler", out)
    assert whole.weights_sha256 == alone.weights_sha256
    assert (whole.mean, whole.std, whole.image_size) == (alone.mean, alone.std, alone.image_size)
    assert torch.equal(whole.tower(pixels()), alone.tower(pixels()))
    settings = AutoImageProcessor.from_pretrained(out)
    assert list(settings.image_mean) == list(whole.mean)


@pytest.mark.parametrize("name", ["tiny", "tiny_siglip"])
def test_the_tower_of_a_pair_alone(name: str, tmp_path: Path) -> None:
    dual.save(DUALS.load(name).build(TEXTS, seed=0), tmp_path / "pair")
    out = exported(tmp_path / "pair", tmp_path / "out", "tower")
    whole, alone = open_encoder("osler", tmp_path / "pair"), open_encoder("osler", out)
    assert whole.weights_sha256 == alone.weights_sha256
    assert whole.mean == alone.mean
    with torch.inference_mode():
        pooled = AutoModel.from_pretrained(out).eval()(pixel_values=pixels()).pooler_output
        torch.testing.assert_close(alone.tower(pixels()), pooled)


def test_a_pair_in_open_clips_layout_comes_back_the_same(pair: tuple[Pair, Path], tmp_path: Path) -> None:
    out = exported(pair[1], tmp_path / "out", "open_clip")
    assert {path.name for path in out.iterdir()} >= {
        "open_clip_config.json",
        "open_clip_model.safetensors",
        "tokenizer.json",
    }
    again = dual.load(out)
    with torch.inference_mode():
        for read, inputs in ((dual.image_embeddings, pixels()), (dual.text_embeddings, pair[0].tokens(TEXTS[:3]))):
            torch.testing.assert_close(read(again.model.eval(), inputs), read(pair[0].model.eval(), inputs))
    assert again.model.config.logit_bias == -9.5
    assert again.mean == pytest.approx(pair[0].mean)
    assert again.model.logit_scale.item() == pytest.approx(pair[0].model.logit_scale.item(), rel=1e-5)
    encoder = open_encoder("clip", out)
    torch.testing.assert_close(encoder.texts_joint(TEXTS[:3]), open_encoder("clip", pair[1]).texts_joint(TEXTS[:3]))
    dual.save(again, tmp_path / "back")
    torch.testing.assert_close(
        open_encoder("osler", tmp_path / "back").tower(pixels()), open_encoder("osler", pair[1]).tower(pixels())
    )


def test_open_clip_itself_gives_the_same_features(pair: tuple[Pair, Path], tmp_path: Path) -> None:
    open_clip = pytest.importorskip(
        "open_clip", reason="needs torchvision, which cannot stand beside torch's CPU build"
    )
    out = exported(pair[1], tmp_path / "out", "open_clip")
    model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{out}")
    words = open_clip.get_tokenizer(f"local-dir:{out}")(TEXTS[:3])
    with torch.inference_mode():
        model.eval()
        torch.testing.assert_close(
            model.encode_image(pixels()), dual.image_embeddings(pair[0].model.eval(), pixels()), atol=1e-5, rtol=1e-5
        )
        ours = dual.text_embeddings(pair[0].model, pair[0].tokens(TEXTS[:3]))
        torch.testing.assert_close(model.encode_text(words), ours, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("part", "change", "said"),
    [
        ("text_config", {"hidden_act": "gelu"}, "its activations are quick_gelu and gelu"),
        ("vision_config", {"layer_norm_eps": 1e-6}, "its norms add 1e-06"),
        ("text_config", {"eos_token_id": 7}, "do not end with the highest token"),
    ],
)
def test_what_open_clip_would_compute_otherwise_is_refused(
    part: str, change: dict[str, Any], said: str, pair: tuple[Pair, Path], tmp_path: Path
) -> None:
    config = json.loads((pair[1] / "config.json").read_text())
    config[part] |= change
    (pair[1] / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=said):
        exported(pair[1], tmp_path / "out", "open_clip")


def test_other_models_are_refused(built: Any, tmp_path: Path) -> None:
    checkpoint.save(*built, tmp_path / "vlm")
    with pytest.raises(InputError, match="cannot be exported so; expected model_type clip; got osler"):
        exported(tmp_path / "vlm", tmp_path / "out", "open_clip")
    (tmp_path / "vlm" / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(InputError, match="cannot be exported so; expected model_type osler or clip"):
        exported(tmp_path / "vlm", tmp_path / "out", "tower")

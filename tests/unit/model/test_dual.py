"""Pairs of towers: built from a seed, read back by transformers' Auto classes, put together from folders."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, CLIPTextModel, Dinov2Config, Dinov2Model

from osler.core.catalog import DUALS
from osler.core.errors import InputError
from osler.model import checkpoint, dual
from osler.model.dual import Pair
from osler.model.encoder import open_encoder
from tiny_models import tokenizer

TEXTS = ["The heart is wide.", "No effusion is seen on the left.", "Two nodules."] * 10


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    return {name: DUALS.load(name).build(TEXTS, seed=0) for name in ("tiny", "tiny_siglip")}


def pixels(number: int = 2) -> torch.Tensor:
    return torch.rand(number, 3, 96, 96, generator=torch.Generator().manual_seed(0))


def features(pair: Pair) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.inference_mode():
        model = pair.model.eval()
        return dual.image_embeddings(model, pixels()), dual.text_embeddings(model, pair.tokens(TEXTS[:3]))


@pytest.mark.parametrize("name", ["tiny", "tiny_siglip"])
def test_transformers_auto_classes_give_the_same_features(pairs: dict[str, Pair], name: str, tmp_path: Path) -> None:
    dual.save(pairs[name], tmp_path)
    model, words = AutoModel.from_pretrained(tmp_path).eval(), AutoTokenizer.from_pretrained(tmp_path)
    padding = {"padding": "max_length", "max_length": 64} if name == "tiny_siglip" else {"padding": True}
    tokens = words(TEXTS[:3], return_tensors="pt", **padding)
    if name == "tiny_siglip":
        tokens = {"input_ids": tokens["input_ids"]}
    with torch.inference_mode():
        theirs = model.get_image_features(pixels()).pooler_output, model.get_text_features(**tokens).pooler_output
    for ours, other in zip(features(pairs[name]), theirs, strict=True):
        assert torch.equal(ours, other)


@pytest.mark.parametrize("name", ["tiny", "tiny_siglip"])
def test_a_pair_is_read_back(pairs: dict[str, Pair], name: str, tmp_path: Path) -> None:
    dual.save(pairs[name], tmp_path)
    again = dual.load(tmp_path)
    assert (again.mean, again.std, again.image_size) == (pairs[name].mean, pairs[name].std, 96)
    for ours, other in zip(features(pairs[name]), features(again), strict=True):
        assert torch.equal(ours, other)


def test_a_seed_gives_the_same_numbers() -> None:
    first, again, other = (DUALS.load("tiny").build(TEXTS, seed=seed).model.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_the_vision_tower_starts_alike_whatever_the_words() -> None:
    first, other = (DUALS.load("tiny").build(texts, seed=0).model for texts in (TEXTS, ["Other words altogether."]))
    assert first.config.text_config.vocab_size != other.config.text_config.vocab_size
    tower = open_encoder("tiny", None, seed=0).tower.model.state_dict()
    for model in (first, other):
        assert all(torch.equal(tensor, tower[name]) for name, tensor in model.vision_model.state_dict().items())


def test_a_text_ends_with_the_highest_id_and_is_cut_before_it(pairs: dict[str, Pair]) -> None:
    words = pairs["tiny"].tokenizer
    assert words.eos_token_id == len(words) - 1
    ids = pairs["tiny"].tokens(["heart " * 500, "Heart"])["input_ids"]
    assert ids.shape == (2, 96)
    assert ids[0, -1] == words.eos_token_id
    assert (ids[1] == words.eos_token_id).sum() == 1
    assert (
        words.decode(words("The Heart: 3 cm, µ")["input_ids"], skip_special_tokens=True).strip() == "the heart: 3 cm, µ"
    )


def test_a_missing_tensor_is_named(pairs: dict[str, Pair], tmp_path: Path) -> None:
    dual.save(pairs["tiny"], tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["text_projection.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"1 missing \(text_projection.weight\)"):
        dual.load(tmp_path)


def test_other_folders_are_refused(tmp_path: Path, pairs: dict[str, Pair]) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(InputError, match="is in a layout that is not read; expected .*clip.* got bert"):
        dual.load(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "dinov2"}))
    with pytest.raises(InputError, match="holds no pair of towers; expected model_type clip, .* got dinov2"):
        dual.load(tmp_path)
    dual.save(pairs["tiny"], tmp_path / "pair")
    (tmp_path / "pair" / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="no tokenizer.json"):
        dual.load(tmp_path / "pair")


def test_towers_of_two_makers_are_joined(tmp_path: Path) -> None:
    torch.manual_seed(0)
    words = tokenizer()
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    bert = BertConfig(**sizes, vocab_size=len(words), intermediate_size=64, max_position_embeddings=40)
    BertModel(bert).save_pretrained(tmp_path / "bert")
    words.save_pretrained(tmp_path / "bert")
    Dinov2Model(Dinov2Config(**sizes, image_size=28, patch_size=14)).save_pretrained(tmp_path / "dino")
    made = dual.join(tmp_path / "dino", tmp_path / "bert", joint_width=8, seed=0)
    assert made.model.config.model_type == "vision-text-dual-encoder"
    dual.save(made, tmp_path / "both")
    again = dual.load(tmp_path / "both")
    shown = torch.rand(2, 3, 28, 28)
    with torch.inference_mode():
        for read in (made.model.eval(), again.model.eval()):
            assert dual.image_embeddings(read, shown).shape == (2, 8)
        ours, other = (dual.text_embeddings(each.model, each.tokens(["the heart"])) for each in (made, again))
    torch.testing.assert_close(ours, other)


def test_clips_own_towers_become_a_clip(pairs: dict[str, Pair], tmp_path: Path) -> None:
    dual.save(pairs["tiny"], tmp_path / "pair")
    made = dual.join(tmp_path / "pair", tmp_path / "pair", joint_width=16, seed=0)
    assert made.model.config.model_type == "clip"
    assert torch.equal(
        made.model.vision_model.post_layernorm.weight, pairs["tiny"].model.vision_model.post_layernorm.weight
    )
    assert made.model.visual_projection.out_features == 16
    assert made.tokenizer.get_vocab() == pairs["tiny"].tokenizer.get_vocab()


def test_the_vision_tower_of_a_language_model_takes_the_pairs_place(built, tmp_path: Path) -> None:
    checkpoint.save(*built, tmp_path / "vlm")
    pair = dual.with_vision(DUALS.load("tiny").build(TEXTS, seed=3), tmp_path / "vlm")
    ours, theirs = pair.model.vision_model.state_dict(), built[0].model.vision_tower.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    with pytest.raises(InputError, match="do not fit their configuration"):
        dual.with_vision(DUALS.load("tiny_siglip").build(TEXTS, seed=3), tmp_path / "vlm")


def test_a_text_tower_needs_a_tokenizer(tmp_path: Path, pairs: dict[str, Pair]) -> None:
    CLIPTextModel(pairs["tiny"].model.config.text_config).save_pretrained(tmp_path / "text")
    dual.save(pairs["tiny"], tmp_path / "pair")
    with pytest.raises(InputError, match="no tokenizer.json"):
        dual.join(tmp_path / "pair", tmp_path / "text", joint_width=8, seed=0)


@pytest.mark.parametrize(("name", "millions"), [("clip_vit_b16", 150), ("clip_vit_l14_336", 428)])
def test_published_sizes(name: str, millions: int) -> None:
    config = DUALS.load(name).config(49408, 0, 1, 49407)
    with torch.device("meta"):
        model = AutoModel.from_config(config)
    assert sum(each.numel() for each in model.parameters()) == pytest.approx(millions * 1e6, rel=0.01)

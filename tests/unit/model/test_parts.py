"""Models from local folders of their real parts: weights arrive where they belong, and what does not fit is refused."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

import published
from osler.core.errors import InputError
from osler.model import checkpoint, parts
from osler.model.families import internvl3_5_gpt_oss, medgpt_oss_20b, openmedq
from osler.model.prompt import Prompter
from toy import samples

GPT, MEDQ, INTERNVL = (module.FAMILY.miniature() for module in (medgpt_oss_20b, openmedq, internvl3_5_gpt_oss))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("parts")
    published.tower(GPT, root / "clip")
    published.tower_pair(GPT, root / "pair")
    published.language_model(GPT, root / "gpt")
    return {name: root / name for name in ("clip", "pair", "gpt")}


@pytest.fixture
def two(folders: dict[str, Path]) -> dict[str, Path]:
    return {"vision": folders["clip"], "language": folders["gpt"]}


def copied(folder: Path, to: Path, **config: object) -> Path:
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    content = json.loads((to / "config.json").read_text())
    (to / "config.json").write_text(json.dumps({**content, **config}))
    return to


def test_every_weight_is_the_parts_own(folders: dict[str, Path], two: dict[str, Path]) -> None:
    model, processing = parts.assemble(GPT, two, seed=0, dtype=torch.float32)
    tower, words = (load_file(folders[name] / "model.safetensors") for name in ("clip", "gpt"))
    state = model.state_dict()
    assert all(torch.equal(state[f"model.vision_tower.{name}"], tensor) for name, tensor in tower.items())
    for name, tensor in words.items():
        ours = name if name.startswith("lm_head") else name.replace("model.", "model.language_model.", 1)
        assert torch.equal(state[ours], tensor), name
    assert len(state) == len(tower) + len(words) + 6
    assert not any(each.is_meta for each in (*model.parameters(), *model.buffers()))
    assert processing.image_seq_length == 4


def test_a_seed_draws_the_projector(two: dict[str, Path]) -> None:
    first, again, other = (
        parts.assemble(GPT, two, seed=seed)[0].model.multi_modal_projector.state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["linear_1.weight"], other["linear_1.weight"])
    assert first["linear_1.weight"].dtype == torch.bfloat16
    assert 0.01 < first["linear_1.weight"].float().std() < 0.04
    assert first["norm.weight"].float().unique().tolist() == [1.0]


def test_it_computes_what_a_model_built_whole_computes(two: dict[str, Path], tmp_path: Path) -> None:
    """Saved and loaded the usual way, buffers such as the rotary frequencies included."""
    model, processing = parts.assemble(GPT, two, seed=0, dtype=torch.float32)
    checkpoint.save(model, processing, tmp_path / "whole")
    whole, again = checkpoint.load(tmp_path / "whole")
    batch = asked(model.config.image_token_id)
    with torch.inference_mode():
        assert torch.equal(model(**batch).logits, whole(**batch).logits)
    ids = [
        Prompter(each.tokenizer, image_seq_length=4).training(samples(0)[0], [1]).ids for each in (processing, again)
    ]
    assert ids[0] == ids[1]


def asked(image_token_id: int, num_tokens: int = 4) -> dict[str, torch.Tensor]:
    pixels = torch.randint(0, 256, (1, 3, 56, 56), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return {"input_ids": torch.tensor([[5] + [image_token_id] * num_tokens + [6, 7]]), "pixel_values": pixels}


def test_a_whole_clip_gives_its_image_half(folders: dict[str, Path], two: dict[str, Path]) -> None:
    model, _ = parts.assemble(GPT, {**two, "vision": folders["pair"]}, seed=0)
    stored = load_file(folders["pair"] / "model.safetensors")["vision_model.embeddings.class_embedding"]
    assert torch.equal(model.model.vision_tower.embeddings.class_embedding, stored.bfloat16())


def test_the_layer_before_the_last_leaves_no_weight_without_a_gradient(two: dict[str, Path]) -> None:
    whole, _ = parts.assemble(GPT, two, seed=0, dtype=torch.float32)
    shorter, _ = parts.assemble(dataclasses.replace(GPT, vision_feature_layer=-2), two, seed=0, dtype=torch.float32)
    assert shorter.config.vision_config.num_hidden_layers == 2
    pixels = torch.randn(2, 3, 56, 56)
    with torch.inference_mode():
        hidden = whole.model.vision_tower(pixels, output_hidden_states=True).hidden_states
        torch.testing.assert_close(shorter.model.vision_tower(pixels).last_hidden_state, hidden[-2])


def test_mxfp4_experts_are_widened(folders: dict[str, Path], two: dict[str, Path], tmp_path: Path) -> None:
    packed = published.pack_experts(folders["gpt"], tmp_path / "packed")
    model, _ = parts.assemble(GPT, {**two, "language": tmp_path / "packed"}, seed=0)
    name = "model.layers.1.mlp.experts.down_proj"
    expected = convert_moe_packed_tensors(packed[f"{name}_blocks"], packed[f"{name}_scales"])
    got = model.model.language_model.layers[1].mlp.experts.down_proj
    assert torch.equal(got, expected) and got.shape == (4, 32, 64) and expected.unique().numel() > 20
    assert not hasattr(model.config.text_config, "quantization_config")


def test_mxfp4_without_scales_is_refused(folders: dict[str, Path], two: dict[str, Path], tmp_path: Path) -> None:
    published.pack_experts(folders["gpt"], tmp_path / "packed")
    file = tmp_path / "packed" / "model.safetensors"
    save_file({name: each for name, each in load_file(file).items() if not name.endswith("_scales")}, file)
    with pytest.raises(InputError, match=r"has no scales.*gate_up_proj_scales|has no scales.*down_proj_scales"):
        parts.assemble(GPT, {**two, "language": tmp_path / "packed"}, seed=0)


def test_internvl_in_its_published_layout_computes_the_same(tmp_path: Path) -> None:
    theirs = published.internvl(INTERNVL, tmp_path)
    folder = dict.fromkeys(("vision", "projector", "language"), tmp_path)
    ours, processing = parts.assemble(INTERNVL, folder, seed=0, dtype=torch.float32)
    assert ours.config.image_token_id == theirs.config.image_token_id
    assert processing.tokenizer.convert_tokens_to_ids("<|image|>") == theirs.config.image_token_id
    batch = asked(theirs.config.image_token_id)
    batch["pixel_values"] = torch.randn(1, 3, 56, 56, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(ours(**batch).logits, theirs(**batch).logits, atol=1e-6, rtol=1e-5)


def test_a_llama_with_a_tied_head(tmp_path: Path) -> None:
    published.tower(MEDQ, tmp_path / "clip")
    theirs = published.language_model(MEDQ, tmp_path / "llama", tie_word_embeddings=True)
    assert "lm_head.weight" not in load_file(tmp_path / "llama" / "model.safetensors")
    both = {"vision": tmp_path / "clip", "language": tmp_path / "llama"}
    model, processing = parts.assemble(MEDQ, both, seed=0, dtype=torch.float32)
    ids = torch.tensor([[4, 270, 280]])
    with torch.inference_mode():
        torch.testing.assert_close(model(input_ids=ids).logits, theirs(input_ids=ids).logits)
    checkpoint.save(model, processing, tmp_path / "whole")
    again, _ = checkpoint.load(tmp_path / "whole")
    with torch.inference_mode():
        torch.testing.assert_close(again(input_ids=ids).logits, theirs(input_ids=ids).logits)


def test_a_missing_an_unexpected_and_a_mis_shaped_tensor(two: dict[str, Path], tmp_path: Path) -> None:
    for number, (change, words) in enumerate(
        (
            ({"model.norm.weight": None}, r"1 missing \(model.language_model.norm.weight\)"),
            ({"third.weight": torch.zeros(2)}, r"1 unexpected \(third.weight\)"),
            ({"lm_head.weight": torch.zeros(3, 4)}, r"1 mis-shaped \(lm_head.weight \[3, 4\] for \[\d+, 64\]\)"),
        )
    ):
        folder = copied(two["language"], tmp_path / str(number))
        tensors = {**load_file(folder / "model.safetensors"), **change}
        save_file({name: each for name, each in tensors.items() if each is not None}, folder / "model.safetensors")
        with pytest.raises(InputError, match=words):
            parts.assemble(GPT, {**two, "language": folder}, seed=0)


def broken(folder: Path, to: Path, **config: object) -> Path:
    """A copy whose weights cannot be read: a check that raises anything else came before the weights."""
    path = copied(folder, to, **config)
    (path / "model.safetensors").write_bytes(b"\xff" * 100)
    return path


@pytest.mark.parametrize(
    ("part", "config", "words"),
    [
        ("vision", {"hidden_size": 48}, "vision part.*expected hidden_size 32; got 48"),
        ("vision", {"image_size": 112}, "expected image_size 56; got 112"),
        ("vision", {"model_type": "siglip_vision_model"}, "expected model_type clip_vision_model; got siglip"),
        ("vision", {"model_type": "vit"}, "cannot be the vision part; expected model_type clip_vision_model"),
        ("language", {"hidden_size": 96}, "language part.*expected hidden_size 64; got 96"),
        ("language", {"num_local_experts": 8}, "expected num_local_experts 4; got 8"),
        ("language", {"model_type": "llama"}, "expected model_type gpt_oss; got llama"),
        ("language", {"model_type": "clip"}, "cannot be the language part"),
        ("language", {"vocab_size": 20}, "smaller than its tokenizer; expected at least 312 rows; got 20"),
        ("language", {"quantization_config": {"quant_method": "gptq"}}, "expected bfloat16 or MXFP4"),
    ],
)
def test_parts_that_do_not_fit_are_refused_before_a_weight_is_read(
    two: dict[str, Path], tmp_path: Path, part: str, config: dict, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        parts.assemble(GPT, {**two, part: broken(two[part], tmp_path / "broken", **config)}, seed=0)


def test_kernels_without_sinks_are_refused_before_a_weight_is_read(two: dict[str, Path], tmp_path: Path) -> None:
    folders = {**two, "language": broken(two["language"], tmp_path / "broken")}
    with pytest.raises(InputError, match="'sdpa' for text_config.*no sinks"):
        parts.assemble(GPT, folders, seed=0, attention={"text_config": "sdpa", "vision_config": "sdpa"}, training=True)


def test_a_picture_that_cannot_be_cut_into_whole_tokens(two: dict[str, Path]) -> None:
    family = dataclasses.replace(GPT, downsample_ratio=1 / 3)
    with pytest.raises(InputError, match="whole tokens; expected a multiple of 42 px.*got 56 px"):
        parts.assemble(family, two, seed=0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"visoin": "clip"}, "unknown part 'visoin'.*Did you mean 'vision'"),
        ({"vision": "clip"}, "part 'language' is not given"),
        ({"vision": "clip", "language": "gpt", "projector": "gpt"}, "holds no projector"),
        ({"vision": "nowhere", "language": "gpt"}, "config.json"),
    ],
)
def test_wrong_folders(folders: dict[str, Path], given: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parts.assemble(GPT, {part: folders.get(name, Path(name)) for part, name in given.items()}, seed=0)


def test_pickled_weights_are_no_weights(two: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(two["vision"], tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="holds no weights; expected safetensors"):
        parts.assemble(GPT, {**two, "vision": folder}, seed=0)

"""Exported models: read back by transformers, equal to what they were made from, refused where they do not fit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText, AutoProcessor, CLIPVisionConfig, GptOssConfig, LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from osler.core.errors import InputError
from osler.core.log import Log
from osler.model import checkpoint, export
from osler.model.compose import OslerForConditionalGeneration
from osler.model.config import OslerConfig
from osler.model.mxfp4 import dequantized
from osler.model.processor import OslerImageProcessor, OslerProcessor
from osler.model.vllm_layout import vllm_config

Built = tuple[OslerForConditionalGeneration, OslerProcessor]


@pytest.fixture
def folder(built: Built, tmp_path: Path) -> Path:
    checkpoint.save(*built, tmp_path / "trained")
    return tmp_path / "trained"


def exported(folder: Path, out: Path, **recipe: Any) -> Path:
    config = export.parse({"model": str(folder), **recipe})
    assert export.inputs(config) == [folder]
    export.run(config, out, device="cpu", log=Log(quiet=True))
    return out / "model"


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}


def test_bf16_reads_back_rounded_and_nothing_else(built: Built, folder: Path, tmp_path: Path) -> None:
    out = exported(folder, tmp_path / "out", format="bf16", max_shard_mib=1)
    assert len(list(out.glob("*.safetensors"))) > 1
    model, processing = checkpoint.load(out)
    for name, tensor in built[0].state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor.bfloat16().float()), name
    assert processing.tokenizer.get_vocab() == built[1].tokenizer.get_vocab()
    assert processing.image_processor.tile_px == 96
    assert json.loads((out / "config.json").read_text())["dtype"] == "bfloat16"
    assert {path.suffix for path in out.iterdir()} == {".json", ".safetensors", ".jinja"}


def test_a_second_export_has_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first, second = (exported(folder, tmp_path / name, format="mxfp4", max_shard_mib=1) for name in ("a", "b"))
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        path.name: path.read_bytes() for path in second.iterdir()
    }


def test_mxfp4_lies_as_in_the_published_model(built: Built, folder: Path, tmp_path: Path) -> None:
    found = tensors(exported(folder, tmp_path / "out", format="mxfp4"))
    experts = "model.language_model.layers.1.mlp.experts"
    assert found[f"{experts}.gate_up_proj_blocks"].shape == (4, 256, 4, 16)
    assert found[f"{experts}.down_proj_scales"].shape == (4, 128, 4)
    assert f"{experts}.down_proj" not in found
    kept = {name: tensor for name, tensor in found.items() if tensor.dtype != torch.uint8}
    assert all(torch.equal(kept[name], built[0].state_dict()[name].bfloat16()) for name in kept)
    assert len(kept) == len(built[0].state_dict()) - 3 * 2


def test_transformers_dequantises_mxfp4_on_a_cpu(built: Built, folder: Path, tmp_path: Path) -> None:
    out = exported(folder, tmp_path / "out", format="mxfp4")
    model, _ = checkpoint.load(out)  # refuses any tensor that is missing or not expected
    found = tensors(out)
    for name, tensor in model.state_dict().items():
        if f"{name}_blocks" in found:
            expected = dequantized(found[f"{name}_blocks"], found[f"{name}_scales"], dtype=torch.float32)
            assert torch.equal(tensor, expected), name
            assert (tensor - built[0].state_dict()[name]).norm() / tensor.norm() < 0.12
        else:
            assert torch.equal(tensor, found[name].float()), name


def llava_like(processing: OslerProcessor, **changes: Any) -> Built:
    """One tile, each patch a token, no norm: the composition that LLaVA can express."""
    tokenizer = processing.tokenizer
    text = {"vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    config = OslerConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, image_size=56,
            patch_size=14,
        ),
        text_config=changes.pop("text_config", LlamaConfig(**text, **heads)),
        image_token_id=int(tokenizer.convert_tokens_to_ids("<|image|>")),
        **{
            "image_seq_length": 16, "tile_px": 56, "max_tiles": 1, "downsample_ratio": 1.0,
            "projector_layer_norm": False, "vision_feature_select_strategy": "default", **changes,
        },
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = OslerForConditionalGeneration._from_config(config, attn_implementation="eager").eval()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    pictures = OslerImageProcessor(tile_px=56, max_tiles=1)
    return model, OslerProcessor(pictures, tokenizer, tokenizer.chat_template, image_seq_length=16)


GPT_OSS = {
    "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 16,
    "num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2,
}  # fmt: skip


@pytest.mark.parametrize("language", ["llama", "gpt_oss"])
def test_llava_gives_the_same_scores_for_the_same_picture(built: Built, tmp_path: Path, language: str) -> None:
    text = {} if language == "llama" else {"text_config": GptOssConfig(vocab_size=len(built[1].tokenizer), **GPT_OSS)}
    ours, processing = llava_like(built[1], **text)
    checkpoint.save(ours.bfloat16().float(), processing, tmp_path / "trained")
    out = exported(tmp_path / "trained", tmp_path / "out", format="llava")
    llava, report = AutoModelForImageTextToText.from_pretrained(
        out, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert type(llava).__name__ == "LlavaForConditionalGeneration"
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (70, 100, 3), dtype=np.uint8))
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "what is it"}]}]
    batches = []
    for each in (processing, AutoProcessor.from_pretrained(out)):
        text_in = each.apply_chat_template(messages, add_generation_prompt=True)
        batches.append(each(images=[picture], text=[text_in], return_tensors="pt"))
    assert batches[0]["input_ids"].tolist() == batches[1]["input_ids"].tolist()
    with torch.inference_mode():
        logits = [model(**dict(batch)).logits for model, batch in zip((ours, llava), batches, strict=True)]
        blind = ours(**{**dict(batches[0]), "pixel_values": torch.zeros_like(batches[0]["pixel_values"])}).logits
    torch.testing.assert_close(logits[0], logits[1], atol=1e-5, rtol=1e-5)
    assert (logits[0] - blind).abs().max() > 1e-2


def test_what_llava_cannot_express_is_refused_with_every_reason(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        exported(folder, tmp_path / "out", format="llava")
    assert all(word in str(error.value) for word in ("downsample_ratio is 0.5", "max_tiles is 4", "no LayerNorm"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"downsample_ratio": 0.5}, "downsample_ratio"),
        ({"max_tiles": 4}, "max_tiles"),
        ({"projector_layer_norm": True}, "projector_layer_norm"),
    ],
)
def test_each_thing_llava_has_not_is_refused(
    built: Built, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    checkpoint.save(*llava_like(built[1], **change), tmp_path / "trained")
    with pytest.raises(InputError, match=message):
        exported(tmp_path / "trained", tmp_path / "out", format="llava")


def test_vllm_folder_holds_all_it_needs(folder: Path, tmp_path: Path) -> None:
    out = exported(folder, tmp_path / "out", format="vllm")
    config = json.loads((out / "config.json").read_text())
    assert "GptOss" in config["architectures"][0]
    assert config["text_config"]["architectures"] == ["GptOssForCausalLM"]
    assert config["quantization_config"] == config["text_config"]["quantization_config"]
    assert config["vision_config"]["image_size"] == [96, 96]
    assert config["tiling"] == {"tile_px": 96, "max_tiles": 4, "min_tiles": 1}
    vocabulary = AutoProcessor.from_pretrained(folder).tokenizer.get_vocab()
    assert config["image_start_token_id"] == vocabulary["<|image_start|>"]
    assert config["image_end_token_id"] == vocabulary["<|image_end|>"]
    assert not [name for name in tensors(out) if "post_layernorm" in name]
    launch = yaml.safe_load((tmp_path / "out" / "vllm.yaml").read_text())
    assert (launch["model"], launch["chat-template-content-format"]) == ("model", "openai")
    assert "quantization_config" not in json.loads(
        (exported(folder, tmp_path / "plain", format="vllm", experts="bf16") / "config.json").read_text()
    )


def test_yarn_of_factor_one_is_plain_rotary_embedding(built: Built, folder: Path) -> None:
    """vLLM's GPT-oss always builds YaRN, so plain positions are exported as such."""
    files = {path.name: path.read_text() for path in folder.glob("*.json")}
    rope = vllm_config(json.loads(files["config.json"]), files, quantized=False)["text_config"]["rope_parameters"]
    text = built[0].config.text_config.to_dict()
    yarn = GptOssConfig(**{**text, "rope_parameters": rope})
    frequencies, factor = ROPE_INIT_FUNCTIONS["yarn"](yarn, torch.device("cpu"))
    plain = 1.0 / text["rope_parameters"]["rope_theta"] ** (torch.arange(0, 32, 2).float() / 32)
    torch.testing.assert_close(frequencies, plain, rtol=1e-6, atol=0)
    assert factor == 1.0


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("text_config", {"rms_norm_eps": 1e-6}, "rms_norm_eps"),
        ("text_config", {"swiglu_limit": 5.0}, "swiglu_limit"),
        ("text_config", {"layer_types": ["full_attention"] * 3}, "slides in layers"),
        ("text_config", {"rope_parameters": {"rope_type": "linear", "factor": 2.0}}, "YaRN"),
        ("text_config", {"rope_parameters": {"rope_type": "yarn", "attention_factor": 2.0}}, "attention_factor"),
        ("text_config", {"model_type": "llama"}, "clip_vision_model and llama"),
        ("vision_config", {"model_type": "internvl_vision"}, "internvl_vision and gpt_oss"),
        ("vision_config", {"layer_norm_eps": 1e-6}, "the plugin's tower is CLIP's"),
    ],
)
def test_what_vllm_would_run_wrongly_is_refused(folder: Path, part: str, change: dict[str, Any], message: str) -> None:
    files = {path.name: path.read_text() for path in folder.glob("*.json")}
    config = json.loads(files["config.json"])
    config[part].update(change)
    with pytest.raises(InputError, match=message):
        vllm_config(config, files, quantized=False)


def test_mxfp4_needs_gpt_oss_and_whole_blocks(built: Built, folder: Path, tmp_path: Path) -> None:
    checkpoint.save(*llava_like(built[1]), tmp_path / "llama")
    with pytest.raises(InputError, match="a gpt_oss language model; got llama"):
        exported(tmp_path / "llama", tmp_path / "out", format="mxfp4")
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["intermediate_size"] = 100
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="intermediate_size does not divide"):
        exported(folder, tmp_path / "out", format="mxfp4")


def test_bad_sources_are_refused(folder: Path, tmp_path: Path) -> None:
    out = exported(folder, tmp_path / "out", format="mxfp4")
    with pytest.raises(InputError, match="quantised already"):
        exported(out, tmp_path / "again", format="bf16")
    (tmp_path / "llava").mkdir()
    (tmp_path / "llava" / "config.json").write_text('{"model_type": "llava"}')
    with pytest.raises(InputError, match="expected model_type osler; got llava"):
        exported(tmp_path / "llava", tmp_path / "again", format="bf16")
    found = tensors(folder)
    adapter = {"model.language_model.layers.0.self_attn.q_proj.lora_A.weight": torch.zeros(2, 2)}
    save_file({**found, **adapter}, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="adapter that is not merged"):
        exported(folder, tmp_path / "again", format="bf16")


def test_weights_that_are_not_finite_name_their_tensor(folder: Path, tmp_path: Path) -> None:
    found = tensors(folder)
    name = "model.language_model.layers.2.mlp.experts.down_proj"
    found[name][1, 0, 0] = float("inf")
    save_file(found, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=f"{name}: expert 1"):
        exported(folder, tmp_path / "out", format="mxfp4")


def test_the_recipe_is_checked() -> None:
    with pytest.raises(InputError, match="unknown key 'formats'.*Did you mean 'format'"):
        export.parse({"model": "a", "formats": "bf16"})
    with pytest.raises(InputError, match="format"):
        export.parse({"model": "a", "format": "gguf"})
    with pytest.raises(InputError, match="says nothing in a bf16 export"):
        export.parse({"model": "a", "format": "bf16", "experts": "mxfp4"})

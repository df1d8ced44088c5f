"""Our readers of open_clip's and timm's layouts against what open_clip and timm themselves made of the same weights.

The recorded features are of drawn weights, which follow from the tensors' names (`drawn_weights.py`). They were made
once with the versions that the file names, in an environment of its own.
"""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from drawn_weights import TOKENS, drawn, pixels
from osler.core.catalog import ENCODERS
from osler.core.errors import InputError
from osler.model.encoder import LoadedEncoder, load
from tiny_models import tokenizer

CASES = json.loads((Path(__file__).parent / "open_clip_features.json").read_text())["cases"]
ENTRIES = {
    "clip_quick_gelu": "bmca_clip",
    "clip_gelu": "clip",
    "custom_text": "clip",
    "resnet_bert_pooler": "pmc_clip",
    "vit_bert_class": "unimed_clip",
    "vit_bert_mean": "unimed_clip",
    "timm_bert": "biomedclip",
    "timm": "vit",
}


def write(folder: Path, case: str, *, left_out: str = "", added: str = "", prefix: tuple[str, str] = ("", "")) -> Path:
    content = CASES[case]
    tensors = {name: drawn(name, tuple(shape)) for name, shape in content["tensors"].items() if name != left_out}
    tensors |= {added: torch.zeros(2)} if added else {}
    folder.mkdir(exist_ok=True)
    save_file({name.replace(*prefix) if prefix[0] else name: each for name, each in tensors.items()},
              folder / "open_clip_model.safetensors")  # fmt: skip
    if case == "timm":
        config = {"architecture": "vit_tiny_patch16_224.augreg_in21k", "global_pool": "token"}
        config |= {"pretrained_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}
        (folder / "config.json").write_text(json.dumps(config))
    else:
        stated = {
            "model_cfg": content["model_cfg"],
            "preprocess_cfg": {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]},
        }
        (folder / "open_clip_config.json").write_text(json.dumps(stated))
        tokenizer().save_pretrained(folder)
    return folder


def opened(folder: Path, case: str) -> LoadedEncoder:
    """Any width: the published sizes are too large for a test."""
    return load(dataclasses.replace(ENCODERS.load(ENTRIES[case]), widths=()), ENTRIES[case], folder)


@pytest.mark.parametrize("case", CASES)
def test_features_are_theirs(case: str, tmp_path: Path) -> None:
    encoder = opened(write(tmp_path, case), case)
    with torch.inference_mode():
        image = encoder.tower(pixels(encoder.image_size))
        wanted = torch.tensor(CASES[case]["image"])
        if case == "timm":
            torch.testing.assert_close(image[:, :24], wanted, atol=1e-5, rtol=1e-5)
            assert (encoder.text, encoder.mean) == (None, (0.5, 0.5, 0.5))
            return
        torch.testing.assert_close(encoder.joint(image), wanted, atol=1e-5, rtol=1e-5)
        words = encoder.text_tower().embed({"input_ids": TOKENS, "attention_mask": (TOKENS != 0).long()})
    torch.testing.assert_close(words, torch.tensor(CASES[case]["text"]), atol=1e-5, rtol=1e-5)
    assert (encoder.mean, encoder.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert encoder.logit_scale == pytest.approx(2.718281828**2.5, rel=1e-5)
    assert encoder.texts_joint(["the heart is wide"]).norm(dim=-1).item() == pytest.approx(1.0, abs=1e-5)


def test_unimed_clips_name_of_its_text_tower_is_read(tmp_path: Path) -> None:
    encoder = opened(write(tmp_path, "vit_bert_class", prefix=("text.", "text_encoder.")), "vit_bert_class")
    words = encoder.text_tower().embed({"input_ids": TOKENS, "attention_mask": (TOKENS != 0).long()})
    torch.testing.assert_close(words, torch.tensor(CASES["vit_bert_class"]["text"]), atol=1e-5, rtol=1e-5)


LEFT_OUT = [
    ("clip_gelu", "visual.proj", "visual.proj"),
    ("clip_gelu", "visual.ln_post.bias", "post_layernorm.bias"),
    ("clip_gelu", "transformer.resblocks.1.attn.in_proj_bias", "encoder.layers.1.self_attn.k_proj.bias"),
    ("clip_gelu", "text_projection", "text_projection"),
    ("resnet_bert_pooler", "visual.layer2.0.downsample.1.running_mean", "layer2.0.downsample.1.running_mean"),
    ("resnet_bert_pooler", "text.transformer.pooler.dense.bias", "pooler.dense.bias"),
    ("vit_bert_class", "text.proj.2.weight", "hf_proj_type mlp: text.proj.0.weight, text.proj.2.weight"),
    ("timm_bert", "visual.trunk.blocks.3.attn.qkv.weight", "layers.3.attention.k_proj.weight"),
    ("timm_bert", "visual.head.proj.weight", "visual.head.proj.weight"),
    ("timm", "pos_embed", "pos_embed"),
]


@pytest.mark.parametrize(("case", "name", "said"), LEFT_OUT)
def test_a_missing_tensor_is_named(case: str, name: str, said: str, tmp_path: Path) -> None:
    assert name in CASES[case]["tensors"]
    with pytest.raises(InputError, match=said.replace(".", r"\.")):
        opened(write(tmp_path, case, left_out=name), case)


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("clip_gelu", "visual.ln_extra.weight"),
        ("clip_gelu", "extra.weight"),
        ("resnet_bert_pooler", "visual.layer9.weight"),
        ("vit_bert_class", "text.extra.weight"),
        ("timm_bert", "visual.trunk.norm_pre.weight"),
        ("timm_bert", "visual.head.mlp.weight"),
        ("timm", "fc_norm.weight"),
    ],
)
def test_an_unexpected_tensor_is_named(case: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"1 unexpected .*{name.rpartition('visual.')[2].removeprefix('trunk.')}"):
        opened(write(tmp_path, case, added=name), case)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vision_cfg": {"attentional_pool": True}}, "asks for attentional_pool: True"),
        ({"vision_cfg": {"a_new_key": 1}}, "asks for a_new_key: 1"),
        ({"text_cfg": {"pool_type": "last"}}, "asks for pool_type: 'last'"),
        ({"vision_cfg": {"width": 128}}, r"mis-shaped \(visual.proj"),
    ],
)
def test_what_is_not_read_is_refused(changes: dict, said: str, tmp_path: Path) -> None:
    folder = write(tmp_path, "clip_gelu")
    stated = json.loads((folder / "open_clip_config.json").read_text())
    for key, values in changes.items():
        stated["model_cfg"][key] |= values
    (folder / "open_clip_config.json").write_text(json.dumps(stated))
    with pytest.raises(InputError, match=said):
        opened(folder, "clip_gelu")


def test_words_of_a_text_tower_that_is_not_read_are_refused_when_asked_for(tmp_path: Path) -> None:
    folder = write(tmp_path, "vit_bert_class")
    stated = json.loads((folder / "open_clip_config.json").read_text())
    stated["model_cfg"]["text_cfg"]["hf_model_name"] = "roberta-base"
    (folder / "open_clip_config.json").write_text(json.dumps(stated))
    encoder = opened(folder, "vit_bert_class")
    assert encoder.tower(pixels(32)).shape == (2, 64)
    with pytest.raises(InputError, match="reads no words: its text tower is roberta-base"):
        encoder.text_tower()


def test_without_a_tokenizer_pictures_are_read(tmp_path: Path) -> None:
    folder = write(tmp_path, "clip_gelu")
    (folder / "tokenizer.json").unlink()
    encoder = opened(folder, "clip_gelu")
    with pytest.raises(InputError, match=r"has no tokenizer\.json"):
        encoder.texts_joint(["a"])


def test_timms_other_pooling_and_architectures_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, "timm")
    for changes, said in (
        ({"global_pool": "avg"}, "global_pool token; got avg"),
        ({"architecture": "resnet50"}, "resnet50"),
    ):
        stated = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(stated | changes))
        with pytest.raises(InputError, match=said):
            opened(folder, "timm")
        (folder / "config.json").write_text(json.dumps(stated))

"""The vLLM plugin's parts that need no vLLM: names, configuration, tiles, and the vision path against training."""

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoConfig, GptOssForCausalLM

from osler.core.log import Log
from osler.model import checkpoint, export
from osler.model.compose import OslerForConditionalGeneration
from osler.model.families.tiny import FAMILY
from osler.model.processor import OslerProcessor
from osler.model.vllm_layout import ARCHITECTURE, MODEL_TYPE

PLUGIN = Path(__file__).parents[2] / "plugins" / "vllm_osler"
BLOCKED = """
import importlib, sys
for name in ("vllm", "torch", "torchvision", "transformers"):
    sys.modules[name] = None  # an import of it now fails
for name in ("names", "tiling", "register"):
    importlib.import_module(f"vllm_osler.{name}")
"""


@pytest.fixture(autouse=True, scope="module")
def plugin_path() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGIN / "src"))
        yield


@pytest.fixture(scope="module")
def built() -> tuple[OslerForConditionalGeneration, OslerProcessor]:
    model, processing = FAMILY.build(["Is there an effusion? No effusion."], seed=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    # Rounded, so that nothing but the plugin's code can differ.
    return model.bfloat16().float().eval(), processing


@pytest.fixture(scope="module", params=["bf16", "mxfp4"])
def folder(request: Any, built: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("vllm")
    checkpoint.save(*built, base / "trained")
    recipe = {"model": str(base / "trained"), "format": "vllm", "experts": request.param}
    export.run(export.parse(recipe), base / "out", device="cpu", log=Log(quiet=True))
    return base / "out" / "model"


@pytest.fixture
def config(folder: Path) -> Any:
    from vllm_osler.config import OslerGptOssConfig

    AutoConfig.register(OslerGptOssConfig.model_type, OslerGptOssConfig, exist_ok=True)
    return AutoConfig.from_pretrained(folder)


def test_light_parts_import_without_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED], cwd=PLUGIN / "src", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_parts_that_serve_the_tests_import_without_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("vllm", "torchvision"):
        monkeypatch.setitem(sys.modules, name, None)  # an import of it now fails
    for name in ("tower", "vision", "config"):
        monkeypatch.delitem(sys.modules, f"vllm_osler.{name}", raising=False)
        importlib.import_module(f"vllm_osler.{name}")


def test_the_entry_point_is_a_function_of_the_plugin() -> None:
    from vllm_osler.register import register

    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    assert project["entry-points"] == {"vllm.general_plugins": {"osler": "vllm_osler.register:register"}}
    assert callable(register)


def test_the_configuration_reads_back_with_its_parts(config: Any, folder: Path) -> None:
    from vllm_osler.config import ARCHITECTURE as PLUGIN_ARCHITECTURE
    from vllm_osler.config import OslerGptOssConfig

    assert type(config) is OslerGptOssConfig
    assert (config.model_type, config.architectures) == (MODEL_TYPE, [ARCHITECTURE])
    assert (PLUGIN_ARCHITECTURE, "GptOss" in ARCHITECTURE) == (ARCHITECTURE, True)
    assert config.get_text_config().model_type == "gpt_oss"
    assert config.text_config.num_local_experts == 4
    assert config.vision_config.image_size == [96, 96]  # a pair: vLLM's InternS1 takes its first element
    # vLLM's GPT-oss looks for these keys and has no defaults for them.
    rope = config.text_config.rope_parameters
    assert {"rope_theta", "factor", "original_max_position_embeddings", "beta_fast", "beta_slow"} <= rope.keys()


def test_every_tensor_has_one_place(config: Any, folder: Path) -> None:
    from vllm_osler.config import name_arguments, projector_arguments, tower_arguments
    from vllm_osler.names import expected_names, vllm_name
    from vllm_osler.tower import ClipTower
    from vllm_osler.vision import Projector

    found = load_file(folder / "model.safetensors")
    assert expected_names(**name_arguments(config)) == set(found)
    placed = {vllm_name(name): tensor for name, tensor in found.items()}
    assert len(placed) == len(found)
    ours = {
        "vision_tower": ClipTower(**tower_arguments(config)),
        "multi_modal_projector": Projector(**projector_arguments(config)),
    }
    wanted = {
        f"{part}.{name}": tensor.shape for part, module in ours.items() for name, tensor in module.state_dict().items()
    }
    assert {name: tensor.shape for name, tensor in placed.items() if not name.startswith("language_model.")} == wanted


def test_the_language_model_gets_the_names_of_a_plain_gpt_oss(config: Any, folder: Path) -> None:
    """vLLM's own GPT-oss takes over below `language_model.`; it knows the names of transformers' class."""
    from vllm_osler.names import vllm_name

    names = {vllm_name(name) for name in load_file(folder / "model.safetensors")}
    given = {name.removeprefix("language_model.") for name in names if name.startswith("language_model.")}
    with torch.device("meta"):
        plain = set(GptOssForCausalLM(config.text_config).state_dict())
    unpacked = {name.removesuffix("_blocks").removesuffix("_scales") for name in given}
    assert unpacked == plain


def test_an_unknown_a_missing_and_an_extra_tensor_are_errors() -> None:
    from vllm_osler.names import checked, vllm_name

    with pytest.raises(KeyError):
        vllm_name("model.third_tower.weight")
    assert list(checked([("a", 1), ("b", 2)], {"a", "b"})) == [("a", 1), ("b", 2)]
    with pytest.raises(ValueError, match=r"missing \['b'\], unknown \['c'\]"):
        list(checked([("a", 1), ("c", 2)], {"a", "b"}))


def test_the_vision_path_equals_the_composition(built: Any, config: Any, folder: Path) -> None:
    from vllm_osler.config import projector_arguments, tower_arguments
    from vllm_osler.names import vllm_name
    from vllm_osler.tower import ClipTower
    from vllm_osler.vision import Projector, image_features

    parts = torch.nn.ModuleDict(
        {
            "vision_tower": ClipTower(**tower_arguments(config)),
            "multi_modal_projector": Projector(**projector_arguments(config)),
        }
    )
    placed = {vllm_name(name): tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
    parts.load_state_dict({name: tensor for name, tensor in placed.items() if not name.startswith("language_model.")})
    pixels = torch.randint(0, 256, (3, 3, 96, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        expected = built[0].get_image_features(pixels).pooler_output
        features = image_features(
            pixels,
            tower=parts["vision_tower"],
            projector=parts["multi_modal_projector"],
            downsample_ratio=config.downsample_ratio,
            mean=config.image_mean,
            std=config.image_std,
        )
    assert features.shape == (3, config.image_seq_length, config.text_config.hidden_size)
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=1e-5)
    assert expected.std() > 0.1


@pytest.mark.parametrize("size", [(96, 96), (200, 90), (64, 300), (640, 480)])
def test_tiles_and_tokens_are_those_of_training(built: Any, config: Any, size: tuple[int, int]) -> None:
    from vllm_osler.tiling import largest_size, num_image_tokens, tiles

    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    batch = built[1](images=[picture], text=["<|image|>"], return_tensors="pt")
    cut = tiles(picture, config.tiling)
    assert torch.equal(torch.from_numpy(cut), batch["pixel_values"])
    count = num_image_tokens(*size, tiling=config.tiling, image_seq_length=config.image_seq_length)
    ids = batch["input_ids"][0].tolist()
    assert ids.count(config.image_token_id) == count
    assert (ids[0], ids[-1]) == (config.image_start_token_id, config.image_end_token_id)
    most = num_image_tokens(*largest_size(config.tiling), tiling=config.tiling, image_seq_length=1)
    assert most == config.tiling["max_tiles"] + 1


def test_a_picture_of_more_than_8_bits_is_refused(config: Any) -> None:
    from vllm_osler.tiling import tiles

    with pytest.raises(ValueError, match="windowed to 8 bits"):
        tiles(Image.fromarray(np.zeros((9, 9), dtype=np.uint16)), config.tiling)


def test_the_tower_refuses_sizes_that_do_not_divide() -> None:
    from vllm_osler.tower import ClipTower

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    with pytest.raises(ValueError, match="50 px in patches of 14"):
        ClipTower(**sizes, image_size=50, patch_size=14)

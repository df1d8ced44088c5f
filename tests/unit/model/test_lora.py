"""Adapters: how many numbers they are, that they change nothing at first, and that merging changes nothing either."""

import copy
from pathlib import Path

import peft
import pytest
import torch

from osler.core.errors import InputError
from osler.model import checkpoint, lora
from osler.model.compose import OslerForConditionalGeneration
from osler.model.freeze import is_adapter, param_groups, part_of
from osler.model.processor import OslerProcessor

Built = tuple[OslerForConditionalGeneration, OslerProcessor]
RATES = {"vision_lr": None, "projector_lr": 1e-3, "lm_lr": 1e-4, "weight_decay": 0.05}


@pytest.fixture
def model(built: Built) -> OslerForConditionalGeneration:
    return copy.deepcopy(built[0])


def scores(model: OslerForConditionalGeneration) -> torch.Tensor:
    pixels = torch.randint(0, 256, (1, 3, 96, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ids = torch.tensor([[model.config.image_token_id] * 36 + [40, 41, 42]])
    with torch.inference_mode():
        return model(input_ids=ids, pixel_values=pixels).logits


def moved(model: OslerForConditionalGeneration) -> OslerForConditionalGeneration:
    """As after training: the second matrices are no longer zero."""
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=random) * 0.1)
    return model


def test_adapters_begin_as_nothing_and_are_counted(built: Built, model: OslerForConditionalGeneration) -> None:
    chosen = lora.attach(model, rank=8, alpha=16, targets=["q_proj", "v_proj"])
    assert len(chosen) == 3 * 2 and all(part_of(name) == "lm" for name in chosen)
    torch.testing.assert_close(scores(model), scores(built[0]))
    groups = param_groups(model, **RATES)
    trained = {name: each.numel() for name, each in model.named_parameters() if each.requires_grad}
    adapters = sum(count for name, count in trained.items() if is_adapter(name))
    # Three layers; q: 128 to 4 heads of 32, v: 128 to 2 heads of 32; two matrices of rank 8 each.
    assert adapters == 3 * 8 * ((128 + 128) + (128 + 64))
    assert {part_of(name) for name in trained} == {"projector", "lm"}
    assert sum(trained.values()) - adapters == 83_200
    assert sum(each.numel() for group in groups for each in group["params"]) == sum(trained.values())
    assert {(group["name"], group["lr"]) for group in groups} == {("projector", 1e-3), ("lm", 1e-4)}


def test_merged_equals_unmerged(built: Built, model: OslerForConditionalGeneration) -> None:
    lora.attach(model, rank=8, alpha=16, targets=["q_proj", "o_proj", "vision.fc1", "projector.linear_1"])
    before = scores(moved(model))
    assert (before - scores(built[0])).abs().max() > 1e-2
    merged = lora.merge(model)
    torch.testing.assert_close(scores(merged), before, atol=1e-5, rtol=0)
    assert set(merged.state_dict()) == set(built[0].state_dict())


def test_a_merged_model_is_saved_and_loaded_like_any_other(built: Built, model, tmp_path: Path) -> None:
    lora.attach(model, rank=2, alpha=4, targets=["q_proj"])
    before = scores(moved(model))
    checkpoint.save(lora.merge(model), built[1], tmp_path)
    again, _ = checkpoint.load(tmp_path)
    torch.testing.assert_close(scores(again), before, atol=1e-5, rtol=0)


def test_an_adapter_folder_is_read_back_by_us_and_by_peft(built: Built, model, tmp_path: Path) -> None:
    lora.attach(model, rank=4, alpha=8, targets=["q_proj", "vision.q_proj"])
    expected = scores(moved(model))
    lora.save_adapter(model, tmp_path, base="tiny")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    ours, theirs = (copy.deepcopy(built[0]) for _ in range(2))
    lora.load_adapter(ours, tmp_path)
    assert torch.equal(scores(ours), expected)
    assert torch.equal(scores(peft.PeftModel.from_pretrained(theirs, tmp_path)), expected)


def test_a_part_with_adapters_must_learn(model: OslerForConditionalGeneration) -> None:
    lora.attach(model, rank=2, alpha=4, targets=["vision.q_proj"])
    with pytest.raises(InputError, match="part 'vision' has adapters but is frozen. Give vision_lr a value"):
        param_groups(model, **RATES)


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (["q_porj"], "target 'q_porj' matches no linear module of part 'lm'.*Did you mean 'q_proj'"),
        (["q_proj", "fc1"], "target 'fc1' matches no linear module of part 'lm'"),
        (["gate_up_proj"], "matches no linear module"),  # the experts' weights are no modules
        (["lm_head"], "cannot adapt lm_head"),
        (["lm.lm_head"], "cannot adapt lm_head"),
        ([], "a rank of at least 1 and a target"),
    ],
)
def test_targets_that_cannot_be(model: OslerForConditionalGeneration, targets: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        lora.attach(model, rank=2, alpha=4, targets=targets)


def test_adapters_are_put_on_once_and_taken_off_once(model, tmp_path: Path) -> None:
    for act in (lora.merge, lambda each: lora.save_adapter(each, tmp_path, base="")):
        with pytest.raises(InputError, match="no adapters"):
            act(model)
    lora.attach(model, rank=2, alpha=4, targets=["q_proj"])
    with pytest.raises(InputError, match="has adapters already"):
        lora.attach(model, rank=2, alpha=4, targets=["q_proj"])


def test_an_adapter_of_another_model_is_refused(built: Built, model, tmp_path: Path) -> None:
    lora.attach(model, rank=2, alpha=4, targets=["q_proj"])
    lora.save_adapter(model, tmp_path, base="tiny")
    text = (tmp_path / "adapter_config.json").read_text()
    (tmp_path / "adapter_config.json").write_text(text.replace('"r": 2', '"r": 3'))
    with pytest.raises(InputError, match="do not fit this model"):
        lora.load_adapter(copy.deepcopy(built[0]), tmp_path)

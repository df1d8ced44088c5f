"""What every family owes, asked of its own classes in miniature: it sees, learns in every part, is saved and read back.

The worst failure of a vision-language model is silent: `generate` hands images over in a way of its own, and a model
that misses them answers blind. So each family is asked the same question about a picture and about noise, as it is,
with adapters, merged, and with its tower frozen.
"""

import copy
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from osler.core.catalog import FAMILIES
from osler.model import checkpoint, kernels, lora
from osler.model.compose import OslerForConditionalGeneration
from osler.model.family import Family
from osler.model.freeze import param_groups, part_of
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter, conversation_text
from toy import samples

Built = tuple[OslerForConditionalGeneration, OslerProcessor]
RATES = {"vision_lr": 1e-5, "projector_lr": 1e-3, "lm_lr": 1e-4, "weight_decay": 0.05}
PARTS = {"vision", "projector", "lm"}


@functools.cache
def built(name: str) -> Built:
    texts = [conversation_text(sample) for number in range(3) for sample in samples(number)]
    model, processing = FAMILIES.load(name).miniature().build(texts, seed=0)
    return model.eval(), processing


@pytest.fixture(params=FAMILIES.names())
def family(request: pytest.FixtureRequest) -> str:
    return request.param


def question(built: Built) -> dict[str, torch.Tensor]:
    model, processing = built
    prompter = Prompter(processing.tokenizer, image_seq_length=processing.image_seq_length)
    tile_px = model.config.tile_px
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(100, 120, (1, 3, tile_px, tile_px), dtype=torch.uint8, generator=random)
    pixels[:, :, : tile_px // 2, : tile_px // 2] = 250
    return {"input_ids": torch.tensor([prompter.question(samples(0)[0].turns, [1])]), "pixel_values": pixels}


def noise(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    shape = batch["pixel_values"].shape
    return {**batch, "pixel_values": torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)}


def adapted(model: OslerForConditionalGeneration) -> OslerForConditionalGeneration:
    lora.attach(model, rank=8, alpha=16, targets=["q_proj", "v_proj"])
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02, generator=torch.Generator().manual_seed(2))
    return model


def tower_frozen(model: OslerForConditionalGeneration) -> OslerForConditionalGeneration:
    param_groups(model, **{**RATES, "vision_lr": None})
    return model


STATES: dict[str, Callable[[OslerForConditionalGeneration], OslerForConditionalGeneration]] = {
    "as it is": lambda model: model,
    "with adapters": adapted,
    "merged": lambda model: lora.merge(adapted(model)),
    "tower frozen": tower_frozen,
    "adapters and tower frozen": lambda model: tower_frozen(adapted(model)),
}


@pytest.mark.parametrize("state", STATES)
def test_generate_sees_the_image_and_equals_the_forward_pass(family: str, state: str) -> None:
    model = STATES[state](copy.deepcopy(built(family)[0])).eval()
    batch = question(built(family))
    options = {"max_new_tokens": 3, "min_new_tokens": 3, "do_sample": False}
    options |= {"output_logits": True, "return_dict_in_generate": True}
    with torch.inference_mode():
        seen = model.generate(**batch, **options)
        other = model.generate(**noise(batch), **options)
        assert (seen.logits[0] - other.logits[0]).abs().max() > 1e-3
        plain = model(input_ids=seen.sequences[:, :-1], pixel_values=batch["pixel_values"]).logits[:, -3:]
    torch.testing.assert_close(torch.stack(seen.logits, 1), plain, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("layer", [-1, -2])
def test_every_part_learns_and_no_trained_weight_is_out_of_reach(family: str, layer: int) -> None:
    tokenizer = built(family)[1].tokenizer
    small: Family = dataclasses.replace(FAMILIES.load(family).miniature(), vision_feature_layer=layer)
    model, processing = small.assemble(tokenizer, seed=0)
    param_groups(model, **RATES)
    batch = question((model, processing))
    labels = torch.full_like(batch["input_ids"], -100)
    labels[:, -8:] = batch["input_ids"][:, -8:]
    outputs = model(**batch, labels=labels)
    outputs.loss.backward()
    trained = {name: each for name, each in model.named_parameters() if each.requires_grad}
    assert [name for name, each in trained.items() if each.grad is None] == []
    assert {part_of(name) for name, each in trained.items() if each.grad.abs().max() > 0} == PARTS


def test_with_adapters_only_they_and_the_projector_learn(family: str) -> None:
    model = adapted(copy.deepcopy(built(family)[0]))
    param_groups(model, **{**RATES, "vision_lr": None})
    trained = [name for name, each in model.named_parameters() if each.requires_grad]
    assert {part_of(name) for name in trained} == {"projector", "lm"}
    assert all("lora_" in name for name in trained if part_of(name) == "lm")


def test_it_is_saved_and_read_back(family: str, tmp_path: Path) -> None:
    model, processing = built(family)
    checkpoint.save(model, processing, tmp_path)
    again, processing_again = checkpoint.load(tmp_path)
    batch = question((model, processing))
    with torch.inference_mode():
        assert torch.equal(model(**batch).logits, again(**batch).logits)
    assert type(again.model.vision_tower) is type(model.model.vision_tower)
    assert type(again.model.language_model) is type(model.model.language_model)
    assert processing_again.tokenizer.chat_template == processing.tokenizer.chat_template


def test_a_seed_gives_the_same_bytes(family: str) -> None:
    small = FAMILIES.load(family).miniature()
    tokenizer = built(family)[1].tokenizer
    first, again, other = (small.assemble(tokenizer, seed=seed)[0].state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_the_miniature_is_small_and_of_the_same_classes(family: str) -> None:
    full, small = FAMILIES.load(family).skeleton(), built(family)[0]
    assert sum(each.numel() for each in small.parameters()) < 3e6
    for part in ("vision_tower", "language_model", "multi_modal_projector"):
        assert type(getattr(full.model, part)) is type(getattr(small.model, part))
    assert {type(each) for each in full.modules()} == {type(each) for each in small.modules()}


def test_its_answer_can_be_told_from_its_question(family: str) -> None:
    _, processing = built(family)
    prompter = Prompter(processing.tokenizer, image_seq_length=processing.image_seq_length)
    for sample in samples(0):
        encoded = prompter.training(sample, [1])
        learned = [token for token, is_learned in zip(encoded.ids, encoded.learned, strict=True) if is_learned]
        assert learned[-1] == processing.tokenizer.eos_token_id
        assert prompter.image_id not in learned
        words = processing.tokenizer.decode(learned)
        assert not sample.reasoning or sample.reasoning in words
        opened = prompter.question(sample.turns, [1], reasoning=bool(sample.reasoning))
        assert encoded.ids[: len(opened)] == opened


def test_auto_kernels_run_it_on_a_cpu(family: str) -> None:
    model = copy.deepcopy(built(family)[0])
    attention, experts = kernels.choose(model.config, "cpu", training=True)
    model.set_attn_implementation(attention)
    model.set_experts_implementation({"text_config": experts})
    batch = question(built(family))
    with torch.inference_mode():
        torch.testing.assert_close(model(**batch).logits, built(family)[0](**batch).logits, atol=1e-5, rtol=1e-4)

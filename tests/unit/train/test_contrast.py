"""Contrastive losses: the papers' formulas, the same gradient in chunks, what counts as the same pair."""

import math

import pytest
import torch
from torch.nn import functional as F

from osler.core.catalog import DUALS
from osler.model.dual import Pair
from osler.train.contrast import MAX_SCALE, Contrast, Figures, info_nce, sigmoid_loss

TEXTS = [f"the {size} heart is {side} with {n} nodules" for size in ("wide", "small") for side in "ab" for n in "123"]


def pair(name: str = "tiny") -> Pair:
    return DUALS.load(name).build(TEXTS, seed=0)


def batch(of: Pair, number: int = 12) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (number, 3, 96, 96), dtype=torch.uint8, generator=random)
    ids = torch.arange(number)[:, None].repeat(1, 2)
    return {"pixel_values": pixels, **of.tokens(TEXTS[:number]), "pair_ids": ids}


def gradients(module: Contrast, of: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    module.zero_grad()
    module(**of)["loss"].backward()
    return {name: each.grad.clone() for name, each in module.named_parameters() if each.grad is not None}


@pytest.mark.parametrize(("name", "loss"), [("tiny", "infonce"), ("tiny", "sigmoid"), ("tiny_siglip", "sigmoid")])
@pytest.mark.parametrize("chunk", [3, 4])
def test_chunks_give_the_gradient_of_the_whole_step(name: str, loss: str, chunk: int) -> None:
    made = pair(name)
    given = batch(made, 7)
    whole = gradients(Contrast(made, loss=loss), given)
    parts = gradients(Contrast(made, loss=loss, chunk_pairs=chunk), given)
    assert whole.keys() == parts.keys()
    assert max(each.abs().max() for each in whole.values()) > 0.1
    for key, each in whole.items():
        torch.testing.assert_close(parts[key], each, atol=1e-6, rtol=1e-5, msg=key)


def test_chunks_draw_the_same_dropout_in_both_passes() -> None:
    made = pair()
    made.model.text_model.train()
    for module in made.model.modules():
        if hasattr(module, "dropout") and isinstance(module.dropout, float):
            module.dropout = 0.5
    module = Contrast(made, loss="infonce", chunk_pairs=4).train()
    torch.manual_seed(3)
    first = gradients(module, batch(made))
    torch.manual_seed(3)
    again = gradients(module, batch(made))
    torch.manual_seed(4)
    other = gradients(module, batch(made))
    key = "model.text_model.embeddings.position_embedding.weight"
    assert torch.equal(first[key], again[key])
    assert not torch.equal(first[key], other[key])


def test_chunks_hold_less() -> None:
    """What a forward pass keeps for the gradients: in chunks the inputs alone."""
    made = pair()

    def held(chunk: int | None) -> int:
        module, total = Contrast(made, loss="infonce", chunk_pairs=chunk), 0

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal total
            total += tensor.numel() * tensor.element_size()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            module(**batch(made))
        return total

    assert held(2) < held(None) / 10


def test_info_nce_is_clips() -> None:
    images, texts = (F.normalize(torch.randn(6, 8, generator=torch.Generator().manual_seed(n)), dim=-1) for n in (0, 1))
    logits = 7 * images @ texts.T
    by_hand = -sum(math.log(math.exp(logits[n, n]) / sum(map(math.exp, logits[n].tolist()))) for n in range(6)) / 6
    assert info_nce(logits, None, first=0).item() == pytest.approx(by_hand, rel=1e-5)


def test_both_losses_are_those_of_transformers() -> None:
    made = pair("tiny_siglip")
    given = batch(made, 6)
    module = Contrast(made, loss="sigmoid")
    ours = module(**given)["loss"]
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (made.mean, made.std))
    pixels = (given["pixel_values"].float() / 255 - mean) / std
    theirs = made.model(input_ids=given["input_ids"], pixel_values=pixels, return_loss=True).loss
    torch.testing.assert_close(ours, theirs)
    made = pair("tiny")
    given = batch(made, 6)
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (made.mean, made.std))
    pixels = (given["pixel_values"].float() / 255 - mean) / std
    tokens = {name: given[name] for name in ("input_ids", "attention_mask")}
    theirs = made.model(**tokens, pixel_values=pixels, return_loss=True).loss
    torch.testing.assert_close(Contrast(made, loss="infonce")(**given)["loss"], theirs, rtol=1e-4, atol=1e-4)


def test_temperature_and_bias_start_as_the_papers_say_and_stay_bounded() -> None:
    made = pair()
    module = Contrast(made, loss="infonce")
    assert made.model.logit_scale.exp().item() == pytest.approx(1 / 0.07, rel=1e-4)
    made.model.logit_scale.data.fill_(9.0)
    module(**batch(made))
    assert made.model.logit_scale.item() == pytest.approx(MAX_SCALE)
    module = Contrast(made, loss="sigmoid")
    assert made.model.logit_scale.exp().item() == pytest.approx(10.0, rel=1e-4)
    assert module.bias is not None
    assert module.bias.item() == -10.0
    module.settle()
    assert made.model.config.logit_bias == -10.0
    kept = Contrast(made, loss="sigmoid", is_new=False)
    assert kept.bias is not None
    assert kept.bias.item() == -10.0


@pytest.mark.parametrize("column", [0, 1])
def test_pairs_that_are_the_same_are_no_negatives(column: int) -> None:
    made = pair()
    given = batch(made, 4)
    given["pair_ids"][1, column] = given["pair_ids"][0, column]
    logits = torch.zeros(4, 4)
    same = torch.zeros(4, 4, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True
    assert info_nce(logits, same, first=0).item() == pytest.approx((2 * math.log(3) + 2 * math.log(4)) / 4)
    assert sigmoid_loss(logits, same, first=0).item() == pytest.approx((16 - 2) * math.log(2) / 4)
    masked = Contrast(made, loss="infonce")(**given)["loss"]
    kept = Contrast(made, loss="infonce", mask_same=False)(**given)["loss"]
    assert masked < kept


def test_rows_of_a_later_process_find_their_own_column() -> None:
    logits = torch.full((2, 6), -20.0)
    logits[0, 4] = logits[1, 5] = 20.0
    assert info_nce(logits, None, first=4).item() < 1e-6
    assert info_nce(logits, None, first=0).item() > 20
    assert sigmoid_loss(logits, None, first=4).item() < 1e-6


def test_figures_count_hits_since_the_last_entry() -> None:
    figures = Figures()
    found = torch.eye(4)
    missed = torch.eye(4).roll(1, 0)
    figures.count(found, missed, None, first=0, log_scale=torch.tensor(0.0))
    figures.count(found, found, None, first=0, log_scale=torch.tensor(1.0))
    logs = {"loss": 1.0}
    state = type("State", (), {"log_history": [dict(logs)]})()
    figures.on_log(None, state, None, logs=logs)
    assert logs == {
        "loss": 1.0, "image_to_text": 1.0, "text_to_image": 0.5, "logit_scale": pytest.approx(math.e)
    }  # fmt: skip
    assert state.log_history[-1]["text_to_image"] == 0.5
    figures.on_log(None, state, None, logs=(empty := {"loss": 1.0}))
    assert empty == {"loss": 1.0}

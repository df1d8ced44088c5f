"""The composition: packing, seeing, generating."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPVisionConfig, LlamaConfig, SiglipVisionConfig

from osler.model import compose
from osler.model.compose import OslerForConditionalGeneration, balancing_loss, checkpoint_layers, router_use
from osler.model.family import Family
from osler.model.processor import OslerProcessor
from toy import build_store, picture

Built = tuple[OslerForConditionalGeneration, OslerProcessor]


def asked(processing: OslerProcessor, numbers: list[int]) -> dict[str, torch.Tensor]:
    """Prompts about toy pictures as the processor makes them from chat messages."""
    conversations = [
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Is the blob on the left?"}]}]
        for _ in numbers
    ]
    texts = [
        processing.tokenizer.apply_chat_template(each, tokenize=False, add_generation_prompt=True)
        for each in conversations
    ]
    pictures = [Image.fromarray(picture(number)[0]) for number in numbers]
    return dict(processing(images=pictures, text=texts, return_tensors="pt", padding=True))


def greedy(model: OslerForConditionalGeneration, batch: dict[str, torch.Tensor], steps: int) -> torch.Tensor:
    """A plain loop without a cache: the reference for `generate`. One prompt only, so nothing is padded."""
    ids = batch["input_ids"]
    for _ in range(steps):
        logits = model(input_ids=ids, pixel_values=batch["pixel_values"]).logits
        ids = torch.cat([ids, logits[:, -1:].argmax(-1)], dim=1)
    return ids


def test_generate_equals_a_plain_forward_loop(built: Built) -> None:
    model, processing = built
    batch = asked(processing, [0])
    with torch.inference_mode():
        written = model.generate(**batch, max_new_tokens=6, min_new_tokens=6, do_sample=False)
        assert torch.equal(written, greedy(model, batch, 6))


def test_generate_sees_the_image(built: Built) -> None:
    """The first token's scores from `generate` move when the picture does, and equal the forward pass's."""
    model, processing = built
    batch = asked(processing, [0])
    noise = {**batch, "pixel_values": torch.randint(0, 256, batch["pixel_values"].shape, dtype=torch.uint8)}
    options = {"max_new_tokens": 1, "do_sample": False, "output_logits": True, "return_dict_in_generate": True}
    with torch.inference_mode():
        seen, other = (model.generate(**each, **options).logits[0] for each in (batch, noise))
        assert not torch.allclose(seen, other, atol=1e-3)
        torch.testing.assert_close(seen, model(**batch).logits[:, -1])


def test_left_padding_does_not_change_the_scores(built: Built) -> None:
    model, processing = built
    texts = [
        processing.tokenizer.apply_chat_template(
            [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": words}]}],
            tokenize=False,
            add_generation_prompt=True,
        )
        for words in ("Where?", "Is the blob in the upper half of the picture?")
    ]
    pictures = [Image.fromarray(picture(number)[0]) for number in (1, 2)]
    options = {"max_new_tokens": 1, "do_sample": False, "output_logits": True, "return_dict_in_generate": True}
    with torch.inference_mode():
        together = dict(processing(images=pictures, text=texts, return_tensors="pt", padding=True))
        padded = model.generate(**together, **options).logits[0]
        for row in range(2):
            alone = dict(processing(images=[pictures[row]], text=[texts[row]], return_tensors="pt"))
            torch.testing.assert_close(padded[row], model(**alone).logits[0, -1], atol=1e-4, rtol=1e-4)


def test_too_few_images_for_the_text_is_an_error(built: Built) -> None:
    model, processing = built
    batch = asked(processing, [0, 1])
    with pytest.raises(ValueError, match="72 image tokens in the text, but the images give 36"):
        model(**{**batch, "pixel_values": batch["pixel_values"][:1]})


def test_label_loss_is_plain_cross_entropy_over_the_labels(built: Built) -> None:
    model, processing = built
    batch = asked(processing, [0])
    labels = torch.full_like(batch["input_ids"], -100)
    labels[:, -5:] = batch["input_ids"][:, -5:]
    with torch.inference_mode():
        loss = model(**batch, labels=labels).loss
        logits = model(**batch).logits
    expected = torch.nn.functional.cross_entropy(logits[0, :-1].float(), labels[0, 1:])
    torch.testing.assert_close(loss, expected)


def test_balancing_loss_of_even_routers_is_the_number_of_chosen_experts() -> None:
    scores = torch.eye(4).repeat(3, 1) * 1e-6
    assert balancing_loss(*router_use((scores, scores), 2, None)).item() == pytest.approx(2.0, abs=1e-4)
    lopsided = torch.tensor([[9.0, 8.0, 0.0, 0.0]]).repeat(6, 1)
    assert balancing_loss(*router_use((lopsided,), 2, None)).item() > 3.9


def test_any_clip_like_tower_goes_with_any_causal_lm(built: Built) -> None:
    """SigLIP has no class token; Llama has neither experts nor a sliding window."""
    family = Family(
        vision_config=lambda: SiglipVisionConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=32,
            patch_size=8,
        ),
        text_config=lambda vocab, pad, eos: LlamaConfig(
            vocab_size=vocab,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            pad_token_id=pad,
            eos_token_id=eos,
        ),
        tile_px=32,
        max_tiles=2,
        vocab_size=400,
        feature_select="full",
    )
    model, processing = family.assemble(built[1].tokenizer, seed=0)
    batch = asked(processing, [0])
    with torch.inference_mode():
        assert model(**batch).logits.shape[-1] == len(built[1].tokenizer)


def test_clip_and_siglip_configs_survive_the_round_trip() -> None:
    from osler.model.config import OslerConfig

    config = OslerConfig(
        vision_config=CLIPVisionConfig(projection_dim=64), text_config=LlamaConfig(num_hidden_layers=2)
    )
    again = OslerConfig(**config.to_dict())
    assert again.vision_config.model_type == "clip_vision_model"
    assert again.text_config.model_type == "llama"


def test_sixteen_bit_pictures_are_refused_by_the_processor(built: Built) -> None:
    with pytest.raises(ValueError, match="windowed to 8 bits first"):
        built[1](images=Image.fromarray(np.zeros((96, 96), np.uint16)), text="<|image|>")


def test_toy_store_is_readable(tmp_path) -> None:
    assert build_store(tmp_path, num_train=2).table("train").num_rows == 10


def packed_batch(model: OslerForConditionalGeneration, *, images: bool = True) -> dict[str, torch.Tensor]:
    """Two packed rows of two documents, the first document with a picture; the second row ends in padding."""
    random = torch.Generator().manual_seed(0)
    ids = torch.randint(100, 200, (2, 120), generator=random)
    documents = torch.cat([torch.zeros(2, 70), torch.ones(2, 50)], dim=1).long()
    documents[1, 110:] = -1
    positions = torch.cat([torch.arange(70), torch.arange(50)]).repeat(2, 1)
    labels = torch.where(torch.rand(2, 120, generator=random) < 0.5, ids, -100)
    labels[:, :50] = labels[:, 70] = labels[1, 110:] = -100
    batch = {"input_ids": ids, "position_ids": positions, "document_ids": documents, "labels": labels}
    batch["branch_ids"] = torch.zeros_like(ids)
    if images:
        ids[:, 5:41] = model.config.image_token_id
        batch["pixel_values"] = torch.randint(0, 256, (2, 3, 96, 96), generator=random, dtype=torch.uint8)
    return batch


def loss_and_gradients(
    model: OslerForConditionalGeneration, batch: dict[str, torch.Tensor], **options: Any
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    model.zero_grad()
    outputs = model(**batch, output_router_logits=True, use_cache=False, **options)
    (outputs.loss + 0.01 * outputs.aux_loss).backward()
    gradients = {name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None}
    model.zero_grad()
    return outputs.loss.detach(), gradients


def same(first: Any, second: Any, tolerance: float) -> None:
    torch.testing.assert_close(first[0], second[0], atol=tolerance, rtol=tolerance)
    assert first[1].keys() == second[1].keys()
    for name in first[1]:
        torch.testing.assert_close(first[1][name], second[1][name], atol=tolerance, rtol=10 * tolerance, msg=name)


def test_a_loss_in_chunks_equals_the_plain_one(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = packed_batch(built[0])
    plain = loss_and_gradients(built[0], batch)
    monkeypatch.setattr(compose, "_CHUNK_LOGITS", 7 * built[0].lm_head.out_features)
    same(plain, loss_and_gradients(built[0], batch), 1e-6)


def test_no_more_than_one_chunk_of_logits_is_held(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    """What autograd keeps between the passes holds no tensor as wide as the vocabulary but the head itself."""
    vocab = built[0].lm_head.out_features
    monkeypatch.setattr(compose, "_CHUNK_LOGITS", 7 * vocab)
    kept: list[torch.Size] = []
    hidden, targets = torch.randn(40, 128, requires_grad=True), torch.randint(0, vocab, (40,))
    with torch.autograd.graph.saved_tensors_hooks(lambda each: kept.append(each.shape) or each, lambda each: each):
        built[0].lm_head(hidden, targets).sum()
    assert not [shape for shape in kept if len(shape) == 2 and shape[1] == vocab]


def test_recomputed_layers_give_the_same_gradients(built: Built) -> None:
    """Packed masks, experts, sinks and sliding layers; the router's balance goes through the recomputed layers too."""
    model = copy.deepcopy(built[0]).train()
    batch = packed_batch(model)
    plain = loss_and_gradients(model, batch)
    checkpoint_layers(model)
    layers = [module for module in model.modules() if getattr(module, "gradient_checkpointing", False)]
    assert {type(layer).__name__ for layer in layers} >= {"CLIPEncoderLayer", "GptOssDecoderLayer"}
    same(plain, loss_and_gradients(model, batch), 1e-6)


def test_grouped_experts_equal_the_eager_ones(built: Built) -> None:
    model = copy.deepcopy(built[0])
    batch = packed_batch(model)
    found = {}
    for experts in ("eager", "grouped_mm"):
        model.set_experts_implementation({"text_config": experts})
        found[experts] = loss_and_gradients(model, batch)
    same(found["eager"], found["grouped_mm"], 1e-5)


def test_label_weights_weigh_and_normalise(built: Built) -> None:
    batch = packed_batch(built[0])
    weights = torch.rand(2, 120, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        outputs = built[0](**batch, label_weights=weights)
        plain = built[0](**batch)
        even = built[0](**batch, label_weights=torch.full((2, 120), 0.01))
        globally = built[0](**batch, label_weights=weights, num_items_in_batch=torch.tensor(200.0))
    scored = batch["labels"][:, 1:] != -100
    chosen = weights[:, 1:][scored]
    assert plain.token_losses.shape == chosen.shape
    assert not plain.token_losses.requires_grad
    torch.testing.assert_close(plain.loss, plain.token_losses.mean())
    torch.testing.assert_close(outputs.loss, (plain.token_losses * chosen).sum() / chosen.sum())
    torch.testing.assert_close(even.loss, plain.loss)
    torch.testing.assert_close(globally.loss, (plain.token_losses * chosen).sum() / 200)


@pytest.mark.parametrize("images", [True, False])
def test_a_dummy_tile_reaches_the_tower_and_changes_nothing(built: Built, images: bool) -> None:
    batch = packed_batch(built[0], images=images)
    plain = loss_and_gradients(built[0], batch)
    tile = torch.zeros(1, 3, 96, 96, dtype=torch.uint8)
    tiles = torch.cat([batch["pixel_values"], tile]) if images else tile
    dummy = loss_and_gradients(built[0], {**batch, "pixel_values": tiles}, num_dummy_tiles=torch.tensor(1))
    reached = {name.split(".")[1] for name in dummy[1]}
    assert {"vision_tower", "multi_modal_projector"} <= reached
    for name in dummy[1].keys() - plain[1].keys():
        assert not dummy[1][name].any(), name
    same((plain[0], plain[1]), (dummy[0], {name: dummy[1][name] for name in plain[1]}), 1e-6)


def test_a_batch_without_labels_has_a_loss_of_zero(built: Built) -> None:
    batch = packed_batch(built[0], images=False)
    batch["labels"] = torch.full_like(batch["labels"], -100)
    loss, gradients = loss_and_gradients(built[0], batch)
    assert loss == 0
    assert torch.isfinite(torch.stack([each.abs().max() for each in gradients.values()])).all()


def test_several_pictures_of_one_document_land_in_their_order(built: Built) -> None:
    model, processing = built
    batch = asked(processing, [0, 1])
    ids = batch["input_ids"].reshape(1, -1)
    options = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.inference_mode():
        first = model(**options, pixel_values=batch["pixel_values"]).logits
        swapped = model(**options, pixel_values=batch["pixel_values"].flip(0)).logits
    assert not torch.allclose(first, swapped, atol=1e-4)

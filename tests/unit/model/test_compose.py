"""The composition: packing, seeing, generating."""

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPVisionConfig, LlamaConfig, SiglipVisionConfig

from osler.model.compose import OslerForConditionalGeneration, balancing_loss
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
    assert balancing_loss((scores, scores), 2, None).item() == pytest.approx(2.0, abs=1e-4)
    lopsided = torch.tensor([[9.0, 8.0, 0.0, 0.0]]).repeat(6, 1)
    assert balancing_loss((lopsided,), 2, None).item() > 3.9


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

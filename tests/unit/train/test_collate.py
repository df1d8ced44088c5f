"""Packed rows: their coordinates, their labels, and that documents in them do not see each other."""

import copy
from typing import Any

import pytest
import torch

from osler.core.errors import InputError
from osler.model.attention import PADDING
from osler.model.compose import IGNORED_LABEL, OslerForConditionalGeneration
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter
from osler.train.collate import PackCollator
from osler.train.pack import Selection, select
from osler.train.rows import Document

Built = tuple[OslerForConditionalGeneration, OslerProcessor]
# Records 0 and 1 (five samples each, the last with reasoning) and one record of text alone.
FIRST, SECOND, TEXT = Document(0, (0, 1, 2, 3, 4)), Document(0, (5, 6, 7)), Document(0, (60,))


def test_packed_and_separate_losses_and_gradients_agree(collator: Any, built: Built, selection: Selection) -> None:
    """Three documents in one row with shared prefixes, against each sample alone in a plain causal forward."""
    model, processing = copy.deepcopy(built[0]).double(), built[1]
    model.set_experts_implementation({"text_config": "eager"})  # the grouped product knows no double precision
    batch = collator([(FIRST, SECOND, TEXT)])([{"row": 0}])
    count = int((batch["labels"] != IGNORED_LABEL).sum())
    packed = model(**batch, num_items_in_batch=count).loss
    packed.backward()
    together = {name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None}
    model.zero_grad()

    prompter = Prompter(processing.tokenizer, image_seq_length=processing.image_seq_length)
    alone = torch.zeros((), dtype=torch.float64)
    for row in (*FIRST.rows, *SECOND.rows, *TEXT.rows):
        loss = _alone(model, prompter, processing, selection, row, count)
        loss.backward()
        alone += loss.detach()

    torch.testing.assert_close(packed.detach(), alone, atol=1e-5, rtol=1e-6, check_dtype=False)
    for name, each in model.named_parameters():
        if each.grad is not None:
            torch.testing.assert_close(together[name], each.grad, atol=1e-5, rtol=1e-5, msg=name)


def test_packed_rows_agree_in_single_precision_too(collator: Any, built: Built, selection: Selection) -> None:
    model, processing = built
    batch = collator([(FIRST, SECOND)])([{"row": 0}])
    count = int((batch["labels"] != IGNORED_LABEL).sum())
    prompter = Prompter(processing.tokenizer, image_seq_length=processing.image_seq_length)
    with torch.inference_mode():
        packed = model(**batch, num_items_in_batch=count).loss
        rows = (*FIRST.rows, *SECOND.rows)
        alone = sum(_alone(model, prompter, processing, selection, row, count) for row in rows)
    torch.testing.assert_close(packed, alone, atol=1e-5, rtol=1e-5)


def test_a_neighbour_in_the_row_changes_nothing(collator: Any, built: Built) -> None:
    batch = collator([(FIRST,), (FIRST, SECOND)])
    with torch.inference_mode():
        short, long = (built[0].model(**_inputs(batch([{"row": row}]))).last_hidden_state for row in (0, 1))
    torch.testing.assert_close(short[0], long[0, : short.shape[1]], atol=1e-5, rtol=1e-5)


def test_no_image_token_is_a_label(collator: Any, built: Built) -> None:
    batch = collator([(FIRST, TEXT)])([{"row": 0}])
    learned = batch["input_ids"][batch["labels"] != IGNORED_LABEL]
    assert len(learned)
    assert built[0].config.image_token_id not in learned
    assert torch.equal(learned, batch["labels"][batch["labels"] != IGNORED_LABEL])


def test_the_first_token_of_a_branch_is_never_a_label(collator: Any) -> None:
    """Its predecessor in the row belongs to another branch, so a label there would be learned from the wrong words."""
    batch = collator([(FIRST, SECOND, TEXT)])([{"row": 0}])
    place = batch["document_ids"] * 100 + batch["branch_ids"]
    begins = torch.cat([torch.ones(1, 1, dtype=torch.bool), place[:, 1:] != place[:, :-1]], dim=1)
    assert (batch["labels"][begins] == IGNORED_LABEL).all()


def test_questions_share_one_visual_prefix(collator: Any) -> None:
    batch = collator([(Document(0, (0, 1, 2, 3)),)])([{"row": 0}])
    assert batch["pixel_values"].shape == (1, 3, 96, 96)
    assert batch["branch_ids"].max() == 4
    assert (batch["document_ids"] == 0).all()


def test_another_system_text_takes_its_own_prefix(collator: Any) -> None:
    """The sample with reasoning has other words before the image, so the image is shown again."""
    batch = collator([(FIRST,)])([{"row": 0}])
    assert len(batch["pixel_values"]) == 2
    assert batch["document_ids"].max() == 1


def test_rows_of_unequal_length_are_padded(collator: Any, built: Built) -> None:
    batch = collator([(FIRST,), (TEXT,)])([{"row": 0}, {"row": 1}])
    padding = batch["document_ids"] == PADDING
    assert padding[1].any() and not padding[0].any()
    assert (batch["labels"][padding] == IGNORED_LABEL).all()
    assert torch.isfinite(built[0](**batch).loss)


def test_withheld_images_leave_the_words(store: Any, built: Built) -> None:
    selection = select(store, split="train", tasks=None, licences=None, weight=1.0, withhold_images=True)
    prompter = Prompter(built[1].tokenizer, image_seq_length=36)
    make = PackCollator([selection], [(FIRST,)], prompter=prompter, pictures=built[1].image_processor)
    batch = make([{"row": 0}])
    assert "pixel_values" not in batch
    assert built[0].config.image_token_id not in batch["input_ids"]
    assert torch.isfinite(built[0](**batch).loss)


def test_a_batch_of_text_has_no_pixels(collator: Any, built: Built) -> None:
    batch = collator([(TEXT,)])([{"row": 0}])
    assert "pixel_values" not in batch
    assert torch.isfinite(built[0](**batch).loss)


def test_the_same_row_gives_the_same_bytes(collator: Any) -> None:
    make = collator([(FIRST, SECOND)])
    first, second = make([{"row": 0}]), make([{"row": 0}])
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_source_ids_say_which_selection_a_token_came_from(store: Any, built: Built, selection: Selection) -> None:
    choices = select(store, split="train", tasks={"toy_choice": 1}, licences=None, weight=1.0)
    prompter = Prompter(built[1].tokenizer, image_seq_length=36)
    rows = [(FIRST, Document(1, (0,))), (TEXT,)]
    make = PackCollator([selection, choices], rows, prompter=prompter, pictures=built[1].image_processor)
    batch = make([{"row": 0}, {"row": 1}])
    assert make.sources == ("toy", "toy:toy_choice")
    sources, documents = batch["source_ids"], batch["document_ids"]
    assert torch.equal(sources == PADDING, documents == PADDING)
    last = int(documents[0].max())
    assert torch.equal(sources[0] == 1, documents[0] == last)
    assert (sources[1][documents[1] != PADDING] == 0).all()


@pytest.mark.parametrize(("loss_weight", "exponent"), [("sqrt", -0.5), ("sample", -1.0)])
def test_label_weights_count_a_samples_own_labels(
    built: Built, selection: Selection, loss_weight: Any, exponent: float
) -> None:
    batch = _collator(built, selection, [(FIRST, TEXT)], loss_weight=loss_weight)([{"row": 0}])
    weights, learned = batch["label_weights"], batch["labels"] != IGNORED_LABEL
    assert weights.dtype == torch.float32
    assert torch.equal(weights > 0, learned)
    samples = batch["document_ids"] * 100 + batch["branch_ids"]
    lengths = set()
    for sample in samples[learned].unique():
        own = learned & (samples == sample)
        torch.testing.assert_close(weights[own], torch.full((int(own.sum()),), float(own.sum()) ** exponent))
        lengths.add(int(own.sum()))
    assert len(lengths) > 1
    assert loss_weight != "sample" or weights.sum().item() == pytest.approx(6)


def test_equal_tokens_need_no_weights(built: Built, selection: Selection) -> None:
    assert "label_weights" not in _collator(built, selection, [(FIRST,)])([{"row": 0}])


def test_a_batch_of_text_gets_one_tile_that_no_token_stands_for(built: Built, selection: Selection) -> None:
    make = _collator(built, selection, [(TEXT,), (FIRST,)], always_tiles=True)
    text, pictured = make([{"row": 0}]), make([{"row": 1}])
    assert text["pixel_values"].shape == (1, 3, 96, 96) and text["pixel_values"].dtype == torch.uint8
    assert text["num_dummy_tiles"].shape == () and text["num_dummy_tiles"] == 1
    assert built[0].config.image_token_id not in text["input_ids"]
    assert pictured["num_dummy_tiles"] == 0 and len(pictured["pixel_values"]) == 2
    assert "num_dummy_tiles" not in _collator(built, selection, [(TEXT,)])([{"row": 0}])


def test_long_samples_are_cut_outside_their_images(built: Built, selection: Selection) -> None:
    whole = _collator(built, selection, [(FIRST,)])([{"row": 0}])
    make = _collator(built, selection, [(FIRST,)], max_document_tokens=66)
    batch = make([{"row": 0}])
    image = built[0].config.image_token_id
    assert (batch["input_ids"] == image).sum() == (whole["input_ids"] == image).sum() == 2 * 36
    assert batch["position_ids"].max() == 65 and whole["position_ids"].max() > 66
    samples = batch["document_ids"] * 100 + batch["branch_ids"]
    learned = batch["labels"] != IGNORED_LABEL
    assert len(samples[learned].unique()) == 5  # every answer is still learned from
    assert torch.isfinite(built[0](**{key: each for key, each in batch.items() if key != "source_ids"}).loss)


def test_a_sample_without_words_to_cut_is_refused_by_name(built: Built, selection: Selection) -> None:
    make = _collator(built, selection, [(FIRST,)], max_document_tokens=40)
    with pytest.raises(InputError, match="'toy/train/0/toy_side' has .* no words to cut"):
        make([{"row": 0}])


def _collator(built: Built, selection: Selection, rows: list[Any], **options: Any) -> PackCollator:
    prompter = Prompter(built[1].tokenizer, image_seq_length=36)
    return PackCollator([selection], rows, prompter=prompter, pictures=built[1].image_processor, **options)


def _inputs(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: value for key, value in batch.items() if key != "labels"}


def _alone(
    model: OslerForConditionalGeneration,
    prompter: Prompter,
    processing: OslerProcessor,
    selection: Selection,
    row: int,
    count: int,
) -> torch.Tensor:
    """Loss of one sample without packing: no document ids, so transformers makes its own causal masks."""
    from osler.media.image import decode_image

    index_row = selection.store.rows(selection.table, [row])[0]
    sample = selection.store.sample(index_row)
    refs = sample.media
    tiles = [
        processing.image_processor.tiles(decode_image(data, ref))
        for data, ref in zip(selection.store.media(index_row), refs, strict=True)
    ]
    encoded = prompter.training(sample, [len(each) for each in tiles])
    labels = [token if on else IGNORED_LABEL for token, on in zip(encoded.ids, encoded.learned, strict=True)]
    return model(
        input_ids=torch.tensor([encoded.ids]),
        pixel_values=torch.cat(tiles) if tiles else None,
        labels=torch.tensor([labels]),
        num_items_in_batch=count,
    ).loss


@pytest.mark.parametrize("row_tokens", [1, 400, 2000])
def test_plans_are_prefixes_of_each_other(selection: Selection, row_tokens: int) -> None:
    from osler.train.pack import Lengths, plan_rows

    lengths = [Lengths(1.0, 10, 36, 96, 4)]
    options: dict[str, Any] = {
        "rows_per_step": 2,
        "row_tokens": row_tokens,
        "questions_per_image": 3,
        "seed": 1,
        "window_shards": None,
    }
    short = plan_rows([selection], lengths, num_rows=5, **options)
    assert plan_rows([selection], lengths, num_rows=9, **options)[:5] == short

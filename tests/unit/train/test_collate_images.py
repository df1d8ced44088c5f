"""Packed rows against separate samples where records have several images of several tiles, and rows are cut."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from osler.core.rng import generator
from osler.media.image import encode_png8, encode_png16
from osler.model.compose import IGNORED_LABEL
from osler.model.prompt import Prompter
from osler.schema.media import Window
from osler.schema.sample import Sample, closed, image, passage, user
from osler.store.record import Blob, stored_record
from osler.store.shards import Store, write_shard
from osler.train.collate import PackCollator
from osler.train.pack import Lengths, Selection, select
from osler.train.rows import Document
from toy import PROVENANCE

SIZES = ((96, 96), (200, 96))  # one tile, and 2 + 1 of the tiny model
PAIR, WORDS, DEEP = Document(0, (0, 1)), Document(0, (2,)), Document(0, (3,))


def _picture(number: int) -> tuple[bytes, int, int]:
    width, height = SIZES[number]
    shape = (height, width, 3) if number % 2 else (height, width)
    return encode_png8(generator(0, "several", number).integers(0, 256, shape).astype(np.uint8)), width, height


def _sample(name: str, *parts: Any, answer: Any) -> Sample:
    return Sample(
        id=name, turns=(user(*parts),), answer=answer, task="toy", split="train", group=name, provenance=PROVENANCE
    )


@pytest.fixture(scope="module")
def selection(tmp_path_factory: pytest.TempPathFactory) -> Selection:
    refs = [image(f"{number}.png") for number in range(len(SIZES))]
    blobs = {f"{number}.png": Blob(*_sorted(_picture(number)), 8) for number in range(len(SIZES))}
    asked = [
        _sample("change", *refs, "Has the blob moved?", answer=closed("no")),
        _sample("report", *refs, "Describe the pictures.", answer=passage("A bright blob in the upper left. " * 4)),
    ]
    words = _sample("words", "Is 4 even? " * 3, answer=closed("yes"))
    ramp = np.linspace(0, 4095, 96 * 96).reshape(96, 96).astype(np.uint16)
    deep = _sample(
        "deep", image("d.png", bits=16, window=Window(center=2047.5, width=4095)), "Is it dark?", answer=closed("no")
    )
    records = [
        stored_record("pair", asked, blobs),
        stored_record("words", [words], {}),
        stored_record("deep", [deep], {"d.png": Blob(encode_png16(ramp), "png", 96, 96, 16)}),
    ]
    folder: Path = tmp_path_factory.mktemp("several")
    write_shard(folder, "train", 0, records=records, estimate=lambda sample: (30, 1))
    return select(Store(folder), split="train", tasks=None, licences=None, weight=1.0)


def _sorted(picture: tuple[bytes, int, int]) -> tuple[bytes, str, int, int]:
    data, width, height = picture
    return data, "png", width, height


def _collator(built: Any, selection: Selection, rows: list[Any], **options: Any) -> PackCollator:
    prompter = Prompter(built[1].tokenizer, image_seq_length=36)
    return PackCollator([selection], rows, prompter=prompter, pictures=built[1].image_processor, **options)


@pytest.mark.parametrize("limit", [None, 190])
def test_packed_equals_separate_with_several_images_words_alone_and_cut_rows(
    built: Any, selection: Selection, limit: int | None
) -> None:
    """One row of all, against every sample alone in a batch of its own; loss and gradients."""
    model = copy.deepcopy(built[0]).double()
    model.set_experts_implementation({"text_config": "eager"})
    options = {"max_document_tokens": limit}
    row = (PAIR, WORDS, DEEP)
    separate = [(Document(0, (number,)),) for document in row for number in document.rows]
    packed = _collator(built, selection, [row], **options)([{"row": 0}])
    make = _collator(built, selection, separate, **options)
    alone = [make([{"row": number}]) for number in range(len(separate))]
    count = int((packed["labels"] != IGNORED_LABEL).sum())
    assert count == sum(int((batch["labels"] != IGNORED_LABEL).sum()) for batch in alone)
    assert len(packed["pixel_values"]) == 1 + 3 + 1  # the pair's pictures are shown once
    assert max(batch["input_ids"].shape[1] for batch in alone) == (limit or 215)

    together = _loss(model, packed, count)
    together.backward()
    gradients = {name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None}
    model.zero_grad()
    apart = sum(_loss(model, batch, count) for batch in alone)
    apart.backward()
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-6)
    for name, each in model.named_parameters():
        if each.grad is not None:
            torch.testing.assert_close(gradients[name], each.grad, atol=1e-5, rtol=1e-5, msg=name)


def test_lengths_and_tiles_of_the_index_are_those_of_the_collator(built: Any, selection: Selection) -> None:
    lengths = Lengths(per_estimate=1.0, prefix=0, per_tile=36, tile_px=96, max_tiles=4)
    batch = _collator(built, selection, [(PAIR,), (WORDS,), (DEEP,)])
    for number, first in enumerate((0, 2, 3)):
        made = batch([{"row": number}])
        assert lengths.tiles(selection)[first] == len(made.get("pixel_values", ()))
        assert (made["input_ids"] == built[0].config.image_token_id).sum() == lengths.of(selection)[0][first]


def test_deep_pixels_reach_the_batch_windowed(built: Any, selection: Selection) -> None:
    pixels = _collator(built, selection, [(DEEP,)])([{"row": 0}])["pixel_values"]
    assert pixels.min() == 0 and pixels.max() == 255
    assert (pixels == 255).float().mean() < 0.01
    assert len(pixels.unique()) == 256


def _loss(model: Any, batch: dict[str, torch.Tensor], count: int) -> torch.Tensor:
    inputs = {key: value for key, value in batch.items() if key != "source_ids"}
    return model(**inputs, num_items_in_batch=count).loss

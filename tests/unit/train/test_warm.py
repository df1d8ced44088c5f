"""The tower warm-up: labels lie on the patches where the mask is, and nothing but the tower learns."""

from typing import Any

import numpy as np
import pytest
import torch

from osler.core.errors import InputError
from osler.media.image import encode_png8
from osler.model.compose import OslerForConditionalGeneration
from osler.model.processor import OslerImageProcessor, OslerProcessor
from osler.store.reader import Store
from osler.train.pack import select
from osler.train.rows import Document
from osler.train.warm import MaskCollator, PatchMasks
from toy import picture

Built = tuple[OslerForConditionalGeneration, OslerProcessor]


def collator(store: Store, *, labels: tuple[str, ...] = ("blob",), tile_px: int = 96, **changes: Any) -> MaskCollator:
    selection = select(store, split="train", tasks={"toy_caption": 1}, licences=None, weight=1.0)
    pictures = OslerImageProcessor(tile_px=tile_px, max_tiles=4)
    options = {"patch_px": 8, "min_coverage": 0.1, **changes}
    return MaskCollator([selection], [(Document(0, (0,)),)], pictures=pictures, labels=labels, **options)


def test_labels_lie_where_the_mask_is(store: Store) -> None:
    labels = collator(store)([{"row": 0}])["patch_labels"][0, :, 0].reshape(12, 12)
    mask = picture(0)[1].reshape(12, 8, 12, 8).mean(axis=(1, 3))
    assert np.array_equal(labels.numpy(), mask >= 0.1)
    assert labels.any()


def test_coverage_decides(store: Store) -> None:
    few = collator(store, min_coverage=0.9)([{"row": 0}])["patch_labels"].sum()
    many = collator(store, min_coverage=0.01)([{"row": 0}])["patch_labels"].sum()
    assert 0 < few < many


def test_bits_are_told_apart(store: Store) -> None:
    two = collator(store, labels=("first", "second"))
    bits = np.zeros((96, 96), np.uint8)
    bits[:8, :8] = 1
    bits[-8:, -8:] = 2
    labels = two._patch_labels(encode_png8(bits))
    assert labels[0].tolist() == [True, False]
    assert labels[-1].tolist() == [False, True]
    assert labels.sum() == 2


@pytest.mark.parametrize("changes", [{"labels": ("nodule",)}, {"tile_px": 64}])
def test_other_masks_or_sizes_are_refused(store: Store, changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="cannot warm the tower; expected one image of"):
        collator(store, **changes)([{"row": 0}])


def test_gradients_reach_the_tower(store: Store, built: Built) -> None:
    module = PatchMasks(built[0], num_labels=1)
    torch.nn.init.normal_(module.head.weight)
    module(**collator(store)([{"row": 0}]))["loss"].backward()
    gradients = {name for name, each in built[0].named_parameters() if each.grad is not None and each.grad.any()}
    assert all(name.startswith("model.vision_tower.") for name in gradients)
    assert "model.vision_tower.embeddings.patch_embedding.weight" in gradients
    built[0].zero_grad()

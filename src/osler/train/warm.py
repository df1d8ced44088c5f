"""The tower warm-up: a linear head on the vision tower predicts each patch's drawn labels.

Axes: N tiles, P patches, K labels, C H W pixels.
"""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from osler.core.errors import InputError
from osler.media.image import decode_image
from osler.model.compose import OslerForConditionalGeneration, normalized
from osler.model.processor import OslerImageProcessor
from osler.train.pack import Selection
from osler.train.rows import Row


class PatchMasks(nn.Module):
    """The model's vision tower under a head that is thrown away afterwards.

    Args:
        model: whose tower is warmed, in place.
        num_labels: kinds of drawn things.
    """

    def __init__(self, model: OslerForConditionalGeneration, *, num_labels: int) -> None:
        super().__init__()
        self.tower = model.model.vision_tower
        self.config = model.config
        self.head = nn.Linear(model.config.vision_config.hidden_size, num_labels)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, pixel_values: torch.Tensor, patch_labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Binary cross-entropy of [N, C, H, W] uint8 tiles against [N, P, K] labels."""
        pixels = normalized(pixel_values, self.config)
        patches_NPC = self.tower(pixel_values=pixels, return_dict=True).last_hidden_state
        if self.config.vision_feature_select_strategy == "default":
            patches_NPC = patches_NPC[:, 1:]
        logits_NPK = self.head(patches_NPC)
        return {"loss": F.binary_cross_entropy_with_logits(logits_NPK, patch_labels.float()), "logits": logits_NPK}


class MaskCollator:
    """Turns row numbers into tiles and patch labels; a pure function of the row number.

    Args:
        selections, rows: what to read; each row is one image.
        labels: names of the mask's bits, in order.
        patch_px: side of a patch in pixels.
        min_coverage: share of a patch that must be set.
    """

    def __init__(
        self,
        selections: list[Selection],
        rows: Sequence[Row],
        *,
        pictures: OslerImageProcessor,
        labels: tuple[str, ...],
        patch_px: int,
        min_coverage: float,
    ) -> None:
        self.selections = selections
        self.rows = rows
        self.pictures = pictures
        self.labels = labels
        self.patch_px = patch_px
        self.min_coverage = min_coverage

    def __call__(self, features: Sequence[dict[str, int]]) -> dict[str, torch.Tensor]:
        """`pixel_values` [N, C, H, W] uint8 and `patch_labels` [N, P, K]."""
        pairs = [self._read(self.rows[feature["row"]]) for feature in features]
        return {
            "pixel_values": torch.cat([tiles for tiles, _ in pairs]),
            "patch_labels": torch.stack([labels for _, labels in pairs]),
        }

    def _read(self, row: Row) -> tuple[torch.Tensor, torch.Tensor]:
        selection = self.selections[row[0].selection]
        index_row = selection.store.rows(selection.table, row[0].rows)[0]
        ref = selection.store.sample(index_row).media[0]
        picture = decode_image(selection.store.media(index_row)[0], ref)
        mask = selection.store.masks(index_row)[0]
        side = self.pictures.tile_px
        if mask is None or ref.mask is None or ref.mask.labels != self.labels or picture.shape[:2] != (side, side):
            raise InputError(
                f"record {index_row['key']!r} cannot warm the tower",
                expected=f"one image of {side} x {side} px with a drawn mask of {', '.join(self.labels)}",
            )
        return self.pictures.tiles(picture), self._patch_labels(mask)

    def _patch_labels(self, png: bytes) -> torch.Tensor:
        """[P, K] booleans: is label k drawn on patch p?"""
        bits = np.asarray(Image.open(BytesIO(png)))
        planes = (bits[..., None] >> np.arange(len(self.labels), dtype=np.uint8)) & 1
        cells = bits.shape[0] // self.patch_px
        blocks = planes.reshape(cells, self.patch_px, cells, self.patch_px, -1).mean(axis=(1, 3))
        return torch.from_numpy(blocks.reshape(cells * cells, -1) >= self.min_coverage)

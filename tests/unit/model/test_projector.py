"""The pixel unshuffle and the two-layer MLP."""

import pytest
import torch

from osler.model.projector import Projector, pixel_unshuffle


def test_unshuffle_joins_two_by_two_neighbours_in_row_then_column_order() -> None:
    grid = torch.arange(16.0).reshape(1, 16, 1)
    joined = pixel_unshuffle(grid, 0.5)
    assert joined.tolist() == [[[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]]


def test_clip_at_336_gives_144_tokens() -> None:
    assert pixel_unshuffle(torch.zeros(2, 24 * 24, 3), 0.5).shape == (2, 144, 12)


@pytest.mark.parametrize("num_patches", [15, 9])
def test_a_grid_that_cannot_be_cut_is_refused(num_patches: int) -> None:
    with pytest.raises(ValueError, match="not a square grid of 2 x 2 blocks"):
        pixel_unshuffle(torch.zeros(1, num_patches, 4), 0.5)


@pytest.mark.parametrize("layer_norm", [True, False])
def test_layer_norm_is_an_option(layer_norm: bool) -> None:
    projector = Projector(8, 5, layer_norm=layer_norm)
    assert projector(torch.randn(2, 3, 8)).shape == (2, 3, 5)
    assert any("norm" in name for name, _ in projector.named_parameters()) is layer_norm

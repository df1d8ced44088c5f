"""Tiles to language-model embeddings: normalise, tower, pixel unshuffle, projector.

Axes: B tiles, C H W pixels, N patches, M tokens, D channels of the tower, K unshuffled channels, E text channels.
"""

from collections.abc import Sequence

import torch
from torch import nn


class Projector(nn.Module):
    """Linear, GELU, Linear; a LayerNorm before them if `layer_norm`. Parameters are named as in the export."""

    def __init__(self, in_features: int, out_features: int, *, layer_norm: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(in_features) if layer_norm else nn.Identity()
        self.linear_1 = nn.Linear(in_features, out_features)
        self.act = nn.GELU()
        self.linear_2 = nn.Linear(out_features, out_features)

    def forward(self, features_BMK: torch.Tensor) -> torch.Tensor:
        """[B, M, K] -> [B, M, E]."""
        return self.linear_2(self.act(self.linear_1(self.norm(features_BMK))))


def unshuffled(patches_BND: torch.Tensor, ratio: float) -> torch.Tensor:
    """[B, N, D] -> [B, N * ratio**2, D / ratio**2]: a square block of patches becomes one token, row by row."""
    block, side = round(1 / ratio), round(patches_BND.shape[1] ** 0.5)
    grid = patches_BND.unflatten(1, (side // block, block, side // block, block))
    return grid.transpose(2, 3).flatten(3).flatten(1, 2)


def image_features(
    pixels_BCHW: torch.Tensor,
    *,
    tower: nn.Module,
    projector: nn.Module,
    downsample_ratio: float,
    mean: Sequence[float],
    std: Sequence[float],
) -> torch.Tensor:
    """uint8 tiles [B, 3, H, W] to embeddings [B, M, E]; the class token is dropped, for it has no place."""
    dtype = next(projector.parameters()).dtype
    mean_311, std_311 = (torch.tensor(values, device=pixels_BCHW.device).view(3, 1, 1) for values in (mean, std))
    patches_BND = tower(((pixels_BCHW.float() / 255 - mean_311) / std_311).to(dtype))[:, 1:]
    return projector(unshuffled(patches_BND, downsample_ratio))

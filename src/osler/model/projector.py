"""The two-layer MLP between vision features and language-model embeddings, behind a pixel unshuffle.

Axes: B tiles, N patches, M tokens after the unshuffle, H W grid, C vision channels, K unshuffled channels, D text.
"""

import torch
from torch import nn


def pixel_unshuffle(patches_BNC: torch.Tensor, ratio: float) -> torch.Tensor:
    """Fold each block of patches into channels: [B, N, C] -> [B, N * ratio**2, C / ratio**2].

    A ratio of 0.5 joins 2 x 2 neighbours, in row then column order, so a 24 x 24 grid gives 144 tokens.

    Raises:
        ValueError: the patches are no square grid, or the grid cannot be cut into whole blocks.
    """
    num_tiles, num_patches, channels = patches_BNC.shape
    side, block = round(num_patches**0.5), round(1 / ratio)
    if side * side != num_patches or side % block:
        raise ValueError(f"{num_patches} patches are not a square grid of {block} x {block} blocks")
    cells = side // block
    grid = patches_BNC.reshape(num_tiles, cells, block, cells, block, channels)
    return grid.permute(0, 1, 3, 2, 4, 5).reshape(num_tiles, cells * cells, block * block * channels)


class Projector(nn.Module):
    """Linear, GELU, Linear; with a LayerNorm before them if `layer_norm`.

    Args:
        in_features: vision channels after the unshuffle.
        out_features: the language model's hidden size.
    """

    def __init__(self, in_features: int, out_features: int, *, layer_norm: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(in_features) if layer_norm else nn.Identity()
        self.linear_1 = nn.Linear(in_features, out_features)
        self.act = nn.GELU()
        self.linear_2 = nn.Linear(out_features, out_features)

    def forward(self, features_BMK: torch.Tensor) -> torch.Tensor:
        """[B, M, K] -> [B, M, D]."""
        return self.linear_2(self.act(self.linear_1(self.norm(features_BMK))))

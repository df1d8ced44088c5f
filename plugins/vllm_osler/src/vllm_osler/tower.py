"""CLIP's vision transformer (Radford et al. 2021, arXiv:2103.00020) in plain torch, up to its last layer.

Plain, so that a CPU without vLLM can check it against the trained model. Every rank of a tensor-parallel server
holds it whole: 0.6 GB for ViT-L/14 in bfloat16. Parameters are named as in the export.

Axes: B tiles, C H W pixels, T class token and patches, D channels.
"""

import torch
from torch import nn
from torch.nn import functional as F


def _quick_gelu(x: torch.Tensor) -> torch.Tensor:
    return x * torch.sigmoid(1.702 * x)


_EPS = 1e-5  # of every norm of every CLIP; `osler export` refuses another
_ACTIVATIONS = {"quick_gelu": _quick_gelu, "gelu": F.gelu}


class ClipTower(nn.Module):
    """Pixels [B, C, H, W], normalised, to features [B, T, D] of the last layer, without the last norm.

    Args:
        hidden_size: channels D.
        intermediate_size: channels inside a layer's MLP.
        num_hidden_layers: number of layers.
        num_attention_heads: heads; D is a multiple of it.
        image_size: side of a tile in pixels.
        patch_size: side of a patch in pixels.
        num_channels: colours C.
        hidden_act: `quick_gelu` or `gelu`.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        intermediate_size: int,
        num_hidden_layers: int,
        num_attention_heads: int,
        image_size: int,
        patch_size: int,
        num_channels: int = 3,
        hidden_act: str = "quick_gelu",
    ) -> None:
        super().__init__()
        if image_size % patch_size or hidden_size % num_attention_heads:
            raise ValueError(
                f"{image_size} px in patches of {patch_size}, {hidden_size} in {num_attention_heads} heads"
            )
        self.embeddings = _Embeddings(hidden_size, image_size, patch_size, num_channels)
        self.pre_layrnorm = nn.LayerNorm(hidden_size, eps=_EPS)  # spelt so in every CLIP checkpoint
        layers = [
            _Layer(hidden_size, intermediate_size, num_attention_heads, act=hidden_act)
            for _ in range(num_hidden_layers)
        ]
        self.encoder = nn.ModuleDict({"layers": nn.ModuleList(layers)})

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> [B, T, D], the class token first."""
        features_BTD = self.pre_layrnorm(self.embeddings(pixel_values))
        for layer in self.encoder["layers"]:
            features_BTD = layer(features_BTD)
        return features_BTD


class _Embeddings(nn.Module):
    def __init__(self, hidden_size: int, image_size: int, patch_size: int, num_channels: int) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.zeros(hidden_size))
        self.patch_embedding = nn.Conv2d(num_channels, hidden_size, patch_size, stride=patch_size, bias=False)
        self.position_embedding = nn.Embedding((image_size // patch_size) ** 2 + 1, hidden_size)

    def forward(self, pixels_BCHW: torch.Tensor) -> torch.Tensor:
        patches_BTD = self.patch_embedding(pixels_BCHW).flatten(2).transpose(1, 2)
        first_B1D = self.class_embedding.expand(len(patches_BTD), 1, -1)
        return torch.cat([first_B1D, patches_BTD], dim=1) + self.position_embedding.weight


class _Attention(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(hidden_size, hidden_size) for _ in range(4))

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        query, key, value = (
            project(x_BTD).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        return self.out_proj(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))


class _Mlp(nn.Module):
    def __init__(self, hidden_size: int, intermediate_size: int, act: str) -> None:
        super().__init__()
        self.fc1 = nn.Linear(hidden_size, intermediate_size)
        self.fc2 = nn.Linear(intermediate_size, hidden_size)
        self.act = _ACTIVATIONS[act]

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        return self.fc2(self.act(self.fc1(x_BTD)))


class _Layer(nn.Module):
    def __init__(self, hidden_size: int, intermediate_size: int, num_heads: int, *, act: str) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(hidden_size, eps=_EPS)
        self.self_attn = _Attention(hidden_size, num_heads)
        self.layer_norm2 = nn.LayerNorm(hidden_size, eps=_EPS)
        self.mlp = _Mlp(hidden_size, intermediate_size, act)

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        x_BTD = x_BTD + self.self_attn(self.layer_norm1(x_BTD))
        return x_BTD + self.mlp(self.layer_norm2(x_BTD))

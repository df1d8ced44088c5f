"""CLIP's residual network (arXiv 2103.00020, section 2.4): PMC-CLIP's tower, which transformers has no class for.

It differs from the plain one in a stem of three convolutions, in pooling before each strided convolution and in an
attention head in place of the mean. Module names are those of the published weights.

Axes: B images, C H W pixels, T places, D channels, E channels of the joint space.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F
from transformers.modeling_outputs import BaseModelOutputWithPooling

_GROWTH = 4  # a block's output over its inner width


class AttentionResNet(nn.Module):
    """The whole tower.

    Args:
        layers: blocks in each of the four stages.
        width: channels of the stem.
        heads: of the attention that pools.
        embed_dim: channels of its output.
        image_size: side in pixels.
    """

    def __init__(
        self, *, layers: Sequence[int], width: int = 64, heads: int, embed_dim: int, image_size: int = 224
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width // 2, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width // 2)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        channels = width
        for number, blocks in enumerate(layers, start=1):
            inner = width * 2 ** (number - 1)
            stage = [_Block(channels, inner, stride=1 if number == 1 else 2)]
            channels = inner * _GROWTH
            stage += [_Block(channels, inner, stride=1) for _ in range(blocks - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*stage))
        self.num_stages = len(layers)
        self.attnpool = _AttentionPool((image_size // 32) ** 2 + 1, channels, heads, embed_dim)

    def forward(self, pixel_values: torch.Tensor) -> BaseModelOutputWithPooling:
        """`pooler_output` [B, E] of normalised pixels, and the last stage's places, `last_hidden_state` [B, T, D]."""
        found = F.relu(self.bn1(self.conv1(pixel_values)))
        found = F.relu(self.bn2(self.conv2(found)))
        found = F.avg_pool2d(F.relu(self.bn3(self.conv3(found))), 2)
        for number in range(1, self.num_stages + 1):
            found = self.get_submodule(f"layer{number}")(found)
        places_BTD = found.flatten(2).transpose(1, 2)
        return BaseModelOutputWithPooling(last_hidden_state=places_BTD, pooler_output=self.attnpool(places_BTD))


class _Block(nn.Module):
    """A bottleneck whose stride is a mean over neighbours."""

    def __init__(self, channels: int, inner: int, *, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1 = nn.Conv2d(channels, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, inner * _GROWTH, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(inner * _GROWTH)
        self.downsample: nn.Sequential | None = None
        if stride > 1 or channels != inner * _GROWTH:
            self.downsample = nn.Sequential(
                OrderedDict(
                    [
                        ("-1", nn.AvgPool2d(stride)),
                        ("0", nn.Conv2d(channels, inner * _GROWTH, 1, bias=False)),
                        ("1", nn.BatchNorm2d(inner * _GROWTH)),
                    ]
                )
            )

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        found = F.relu(self.bn1(self.conv1(given)))
        found = F.relu(self.bn2(self.conv2(found)))
        if self.stride > 1:
            found = F.avg_pool2d(found, self.stride)
        found = self.bn3(self.conv3(found))
        return F.relu(found + (given if self.downsample is None else self.downsample(given)))


class _AttentionPool(nn.Module):
    """The mean place asks all places: one vector out."""

    def __init__(self, num_places: int, channels: int, heads: int, embed_dim: int) -> None:
        super().__init__()
        self.heads = heads
        self.positional_embedding = nn.Parameter(torch.randn(num_places, channels) / channels**0.5)
        self.k_proj = nn.Linear(channels, channels)
        self.q_proj = nn.Linear(channels, channels)
        self.v_proj = nn.Linear(channels, channels)
        self.c_proj = nn.Linear(channels, embed_dim)

    def forward(self, places_BTD: torch.Tensor) -> torch.Tensor:
        all_BTD = torch.cat([places_BTD.mean(1, keepdim=True), places_BTD], dim=1) + self.positional_embedding
        parts = ((self.q_proj, all_BTD[:, :1]), (self.k_proj, all_BTD), (self.v_proj, all_BTD))
        asked, keys, values = (layer(each).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer, each in parts)
        pooled = F.scaled_dot_product_attention(asked, keys, values)
        return self.c_proj(pooled.transpose(1, 2).flatten(2)[:, 0])

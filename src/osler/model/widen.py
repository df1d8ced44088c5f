"""MXFP4 experts as plain numbers, bit for bit what transformers makes of them, several times faster on a CPU.

A byte holds two numbers, so a table of 256 pairs is looked up once a byte instead of one of 16 twice. The format is
that of the OCP Microscaling specification 1.0: elements E2M1 (section 5.3.3), scales E8M0 (5.4.1).

Axes: E experts, I input features, O output features, G groups of 32 inputs, P the 16 bytes of a group.
"""

import torch

_MAGNITUDES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
_SCALE_BIAS = 127


def widened(blocks_EOGP: torch.Tensor, scales_EOG: torch.Tensor, *, dtype: torch.dtype) -> torch.Tensor:
    """[E, I, O] of `dtype`, as GptOssExperts holds it; one expert at a time, to need little more than the result."""
    codes = torch.tensor([*_MAGNITUDES, *(-value for value in _MAGNITUDES)], dtype=dtype)
    byte = torch.arange(256)
    pairs = torch.stack([codes[byte & 15], codes[byte >> 4]], dim=1)  # the low half of a byte comes first
    experts, rows, groups, half = blocks_EOGP.shape
    out = torch.empty(experts, groups * half * 2, rows, dtype=dtype)
    for blocks_OGP, scales_OG, out_IO in zip(blocks_EOGP, scales_EOG, out, strict=True):
        values = pairs.index_select(0, blocks_OGP.reshape(-1).int()).view(rows, groups, half * 2)
        values *= torch.exp2(scales_OG.float() - _SCALE_BIAS).to(dtype)[..., None]
        out_IO.copy_(values.view(rows, -1).T)
    return out

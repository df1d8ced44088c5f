"""MXFP4 as plain numbers."""

import pytest
import torch
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

from osler.model.widen import widened


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_bit_for_bit_what_transformers_makes_of_it(dtype: torch.dtype) -> None:
    random = torch.Generator().manual_seed(0)
    blocks = torch.randint(0, 256, (3, 10, 4, 16), dtype=torch.uint8, generator=random)
    scales = torch.randint(1, 250, (3, 10, 4), dtype=torch.uint8, generator=random)
    got = widened(blocks, scales, dtype=dtype)
    assert torch.equal(got, convert_moe_packed_tensors(blocks, scales, dtype=dtype))
    assert got.shape == (3, 128, 10) and got.is_contiguous()


def test_one_byte_by_hand() -> None:
    blocks = torch.zeros(1, 1, 1, 16, dtype=torch.uint8)
    blocks[0, 0, 0, 0] = 0x2 | 0xF << 4  # 1.0 and -6.0
    got = widened(blocks, torch.tensor([[[128]]], dtype=torch.uint8), dtype=torch.float32)
    assert got[0, :3, 0].tolist() == [2.0, -12.0, 0.0]

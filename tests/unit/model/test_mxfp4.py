"""MXFP4 blocks: the specification's numbers, transformers' reading of the bytes, and what is lost."""

import pytest
import torch
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

from osler.core.errors import InputError
from osler.model.mxfp4 import E2M1, SCALE_BIAS, dequantized, quantize


def gaussian(*shape: int, scale: float = 0.02) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)) * scale


def round_trip(weight: torch.Tensor) -> torch.Tensor:
    return dequantized(*quantize(weight), dtype=torch.float32)


def relative_error(weight: torch.Tensor) -> float:
    return float((round_trip(weight) - weight).double().norm() / weight.double().norm())


def test_shapes_and_types_are_those_of_the_published_layout() -> None:
    blocks, scales = quantize(gaussian(3, 64, 10))
    assert (blocks.shape, scales.shape) == ((3, 10, 2, 16), (3, 10, 2))
    assert (blocks.dtype, scales.dtype) == (torch.uint8, torch.uint8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_transformers_reads_exactly_our_values(dtype: torch.dtype) -> None:
    blocks, scales = quantize(gaussian(2, 96, 40))
    assert torch.equal(
        convert_moe_packed_tensors(blocks, scales, dtype=dtype), dequantized(blocks, scales, dtype=dtype)
    )


def test_the_even_input_lies_in_the_low_half_of_the_byte() -> None:
    weight = torch.zeros(1, 32, 1)
    weight[0, 0], weight[0, 1] = 6.0, -0.5
    blocks, scales = quantize(weight)
    assert blocks[0, 0, 0, 0] == 7 | 9 << 4
    assert scales[0, 0, 0] == SCALE_BIAS


@pytest.mark.parametrize("exponent", [-120, -9, 0, 3, 100])
def test_values_that_it_can_hold_come_back_unchanged(exponent: int) -> None:
    codes = torch.randint(0, 16, (2, 64, 24), generator=torch.Generator().manual_seed(1))
    weight = torch.tensor([*E2M1, *(-value for value in E2M1)])[codes] * 2.0**exponent
    assert torch.equal(round_trip(weight), weight)
    assert torch.equal(round_trip(weight.bfloat16()), weight)


def test_ties_go_to_the_even_code() -> None:
    weight = torch.zeros(1, 32, 1)
    weight[0, :8, 0] = torch.tensor([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0, 6.0])
    assert round_trip(weight)[0, :8, 0].tolist() == [0.0, 1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 6.0]


def test_a_clipping_scale_is_doubled_where_that_loses_less() -> None:
    clipped, kept = torch.full((1, 32, 1), 7.9), torch.zeros(1, 32, 1)
    assert round_trip(clipped).unique().tolist() == [8.0]  # the specification's scale would give 6
    kept[0, :31], kept[0, 31] = 0.5, 6.2
    assert round_trip(kept)[0, 0, 0] == 0.5  # at the doubled scale, 31 values would become 0
    assert round_trip(kept)[0, 31, 0] == 6.0


def test_the_error_on_gaussian_weights_is_bounded() -> None:
    """Measured 0.1115; the specification's scale alone gives 0.1141, always rounding the scale up 0.1373."""
    weight = gaussian(1, 1024, 256)
    assert 0.105 < relative_error(weight) < 0.1125
    assert relative_error(weight * 1e-25) == pytest.approx(relative_error(weight), rel=0.05)


def test_zeros_stay_zeros_and_the_largest_weights_stay_finite() -> None:
    blocks, scales = quantize(torch.zeros(1, 32, 2))
    assert (int(blocks.max()), scales.unique().tolist()) == (0, [SCALE_BIAS])
    assert torch.isfinite(round_trip(torch.full((1, 32, 1), 3e38))).all()


def test_bad_weights_are_refused() -> None:
    with pytest.raises(InputError, match="a multiple of 32; got 40"):
        quantize(torch.zeros(1, 40, 2))
    with pytest.raises(InputError, match="expert 1 holds weights that are not finite"):
        quantize(torch.stack([torch.zeros(32, 2), torch.full((32, 2), float("nan"))]))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_bit_for_bit_what_transformers_makes_of_it(dtype: torch.dtype) -> None:
    random = torch.Generator().manual_seed(0)
    blocks = torch.randint(0, 256, (3, 10, 4, 16), dtype=torch.uint8, generator=random)
    scales = torch.randint(1, 250, (3, 10, 4), dtype=torch.uint8, generator=random)
    got = dequantized(blocks, scales, dtype=dtype)
    assert torch.equal(got, convert_moe_packed_tensors(blocks, scales, dtype=dtype))
    assert got.shape == (3, 128, 10) and got.is_contiguous()


def test_one_byte_by_hand() -> None:
    blocks = torch.zeros(1, 1, 1, 16, dtype=torch.uint8)
    blocks[0, 0, 0, 0] = 0x2 | 0xF << 4  # 1.0 and -6.0
    got = dequantized(blocks, torch.tensor([[[128]]], dtype=torch.uint8), dtype=torch.float32)
    assert got[0, :3, 0].tolist() == [2.0, -12.0, 0.0]

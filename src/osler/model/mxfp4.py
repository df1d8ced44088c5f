"""MXFP4: blocks of 32 four-bit floats that share a power of two.

Source: OCP Microscaling Formats (MX) Specification v1.0 (2023): section 5.3.3 (element type E2M1: 1 sign, 2 exponent,
1 mantissa bit), 5.4.1 (scale type E8M0, bias 127), 6.3 (conversion to a block). The bytes lie as in the
published gpt-oss-20b, which transformers and vLLM read.

Axes: E experts, I input features, O output features, G groups of 32 inputs, P the 16 bytes of a group.
"""

import torch

from osler.core.errors import InputError

BLOCK = 32
# Magnitudes of the codes 0 to 7; codes 8 to 15 are the same with a minus sign.
E2M1 = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
SCALE_BIAS = 127
_LARGEST_EXPONENT = 2  # of an element: 6 = 1.5 * 2**2
_LARGEST_SCALE = 125  # times 6, still a finite float32
# Halfway points between neighbours. A tie goes to the even code: down at 0.25, up at 0.75, ... where the next smaller
# number is the bound.
_TIES = torch.tensor([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0])
_BOUNDS = torch.where(torch.arange(7) % 2 == 1, torch.nextafter(_TIES, torch.zeros(7)), _TIES)
_MANTISSA_BITS = 23  # of a float32


def quantize(weight_EIO: torch.Tensor, *, device: str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
    """Expert weights as blocks of 32 along the input dimension.

    The scale of a block is the specification's, two to the power floor(log2(largest magnitude)) - 2, or twice that
    where the block's squared error is then smaller (the specification's scale clips magnitudes above 6). Values that
    MXFP4 can hold come back unchanged.

    Args:
        weight_EIO: floating point [E, I, O], as transformers' GptOssExperts holds it.
        device: where to compute; one expert at a time is moved there.

    Returns:
        Bytes uint8 [E, O, G, 16], the even input in the low four bits, and scales uint8 [E, O, G], both on the CPU.

    Raises:
        InputError: I is no multiple of 32, or a weight is not finite.
    """
    num_experts, num_in, num_out = weight_EIO.shape
    if num_in % BLOCK:
        raise InputError("MXFP4 blocks do not fit", expected=f"inputs a multiple of {BLOCK}", got=str(num_in))
    blocks = torch.empty(num_experts, num_out, num_in // BLOCK, BLOCK // 2, dtype=torch.uint8)
    scales = torch.empty(num_experts, num_out, num_in // BLOCK, dtype=torch.uint8)
    for expert in range(num_experts):
        values = weight_EIO[expert].to(device).T.float().contiguous().reshape(num_out, -1, BLOCK)
        if not torch.isfinite(values).all():
            raise InputError(f"expert {expert} holds weights that are not finite", fix="Export a healthy checkpoint.")
        codes, exponents = _quantized_blocks(values)
        blocks[expert] = (codes[..., 0::2] | codes[..., 1::2] << 4).cpu()
        scales[expert] = (exponents + SCALE_BIAS).to(torch.uint8).cpu()
    return blocks, scales


def dequantized(blocks_EOGP: torch.Tensor, scales_EOG: torch.Tensor, *, dtype: torch.dtype) -> torch.Tensor:
    """The values of `quantize`'s result, [E, I, O] of the given type. Exact in bfloat16 and float32.

    A byte holds two numbers, so a table of 256 pairs is looked up once a byte instead of one of 16 twice, one expert
    at a time, to need little more than the result.
    """
    byte = torch.arange(256, device=blocks_EOGP.device)
    pairs = torch.stack([_decoded(byte & 15), _decoded(byte >> 4)], dim=1).to(dtype)
    experts, rows, groups, half = blocks_EOGP.shape
    out = torch.empty(experts, groups * half * 2, rows, dtype=dtype, device=blocks_EOGP.device)
    for blocks_OGP, scales_OG, out_IO in zip(blocks_EOGP, scales_EOG, out, strict=True):
        values = pairs.index_select(0, blocks_OGP.reshape(-1).int()).view(rows, groups, half * 2)
        values *= _power_of_two(scales_OG.int() - SCALE_BIAS).to(dtype)[..., None]
        out_IO.copy_(values.view(rows, -1).T)
    return out


def _quantized_blocks(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes uint8 and exponents int32 of blocks [O, G, 32].

    Only where the specification's scale clips can twice that scale be better: up to 6, the finer grid holds every
    point of the coarser one.
    """
    largest = values.abs().amax(-1)
    # frexp gives m * 2**e with m in [0.5, 1): e - 1 is floor(log2).
    exponents = torch.frexp(largest).exponent.int() - 1 - _LARGEST_EXPONENT
    exponents = exponents.where(largest > 0, 0).clamp(1 - SCALE_BIAS, _LARGEST_SCALE - 1)
    codes, error = _coded(values, exponents)
    clipped = largest * _power_of_two(-exponents) > E2M1[-1]
    coarser_codes, coarser_error = _coded(values[clipped], exponents[clipped] + 1)
    better = coarser_error < error[clipped]
    codes[clipped] = torch.where(better[..., None], coarser_codes, codes[clipped])
    exponents[clipped] += better.int()
    return codes, exponents


def _coded(values: torch.Tensor, exponents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes uint8 of the values under their blocks' exponents, and each block's squared error relative to its largest.

    Relative, so that the squares of very small weights do not vanish.
    """
    scaled = values * _power_of_two(-exponents)[..., None]
    codes = torch.bucketize(scaled.abs(), _BOUNDS.to(values.device), out_int32=True).to(torch.uint8)
    codes |= torch.signbit(scaled).to(torch.uint8) << 3
    lost = (scaled - _decoded(codes)).square().sum(-1)
    return codes, lost / scaled.abs().amax(-1).clamp(min=1).square()


def _decoded(codes: torch.Tensor) -> torch.Tensor:
    return torch.tensor([*E2M1, *(-value for value in E2M1)], device=codes.device)[codes.int()]


def _power_of_two(exponents: torch.Tensor) -> torch.Tensor:
    """float32 powers from -127 to 127, from their bits: exp2 of a library may be off in the last place."""
    bits = (exponents.int() + SCALE_BIAS) << _MANTISSA_BITS
    return bits.where(bits > 0, 1 << (_MANTISSA_BITS - 1)).view(torch.float32)

"""Weights, pixels and tokens that follow from names alone, so that a golden file need hold no tensor."""

import torch

from osler.core.rng import generator

TOKENS = torch.from_numpy(generator(0, "tokens").integers(1, 38, (3, 12)))
# Texts of three lengths; 39 is the highest id and ends a text, 0 fills it up.
for row, length in enumerate((12, 8, 5)):
    TOKENS[row, length - 1] = 39
    TOKENS[row, length:] = 0


def drawn(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The tensor called `name`: numbers near zero, near one for scales and variances."""
    if name.endswith("num_batches_tracked"):
        return torch.tensor(1)
    if name == "logit_scale":
        return torch.tensor(2.5)
    random = generator(0, "weights", name)
    if "running_var" in name:
        return torch.from_numpy(random.uniform(0.5, 2.0, shape)).float()
    wide = len(shape) > 1
    mean = 0.0 if wide or not name.endswith("weight") else 1.0
    return torch.from_numpy(random.normal(mean, 0.05 if wide else 0.2, shape)).float()


def pixels(side: int) -> torch.Tensor:
    """Two normalised pictures."""
    return torch.from_numpy(generator(0, "pixels").normal(0, 1, (2, 3, side, side))).float()

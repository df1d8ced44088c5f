"""How many parameters each part of the composition has, from names and shapes alone: no weight is read.

"Active" are the parameters that one token is multiplied with: of the experts those it is sent to, of the embedding
table none, as a row of it is looked up.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Parts as they are named in a recipe, and the modules that belong to each.
PARTS = {
    "vision": ("model.vision_tower.",),
    "projector": ("model.multi_modal_projector.",),
    "lm": ("model.language_model.", "lm_head."),
}


@dataclass(frozen=True)
class PartSize:
    """Parameters of one part; `active` of them work on each of its tokens."""

    part: str
    total: int
    active: int


def part_of(name: str) -> str:
    """The part (`vision`, `projector`, `lm`) that a parameter belongs to, by its name in the composition."""
    return next(part for part, prefixes in PARTS.items() if name.startswith(prefixes))


def part_sizes(
    shapes: Mapping[str, Iterable[int]], *, experts: int | None, experts_per_token: int | None
) -> list[PartSize]:
    """Sizes of vision, projector, lm (without its head) and head, in this order.

    Args:
        shapes: of every parameter, by its name in the composition.
        experts: experts of a layer; None for a dense language model.
        experts_per_token: how many of them a token is sent to.
    """
    totals, active = (dict.fromkeys((*PARTS, "head"), 0) for _ in range(2))
    share = (experts_per_token or 1) / (experts or 1)
    for name, shape in shapes.items():
        part = "head" if name.startswith("lm_head.") else part_of(name)
        count = math.prod(shape)
        totals[part] += count
        if ".embed_tokens." not in name:
            active[part] += round(count * share) if ".experts." in name else count
    return [PartSize(part, totals[part], active[part]) for part in totals]

"""A finding in its patient's own coordinates, before the patient stands before the plate, and the sizes it comes in."""

from dataclasses import dataclass
from typing import Literal

from osler.synth.phantom.truth import Side

SIZES = {
    "effusion": (0.12, 0.175, 0.24),
    "pneumothorax": (0.16, 0.26, 0.38),
    "consolidation": (0.075, 0.10, 0.13),
}
NODULE_RADIUS = (0.033, 0.050)


@dataclass(frozen=True)
class Lesion:
    """One finding as it will be drawn; the fields mean what they mean in `truth.Finding`, x and y are its centre."""

    kind: str
    side: Side | Literal[""] = ""
    x: float = 0.0
    y: float = 0.0
    size: float = 0.0
    grade: str = ""

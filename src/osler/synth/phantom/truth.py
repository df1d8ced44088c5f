"""What is true of a drawn study: its patient, its view and every finding. Nothing here knows how it is drawn.

Sides are the patient's. A film shows the patient facing the viewer, so the patient's left lies on the
viewer's right. Positions and sizes are fractions of the image width or height.
"""

from dataclasses import dataclass
from typing import Literal

Side = Literal["left", "right"]
View = Literal["PA", "AP"]
Box = tuple[float, float, float, float]

SIDES: tuple[Side, Side] = ("left", "right")
FINDINGS = ("nodule", "effusion", "pneumothorax", "consolidation", "cardiomegaly", "device")
LABELS = ("nodule", "effusion", "pneumothorax", "consolidation", "heart", "device", "left_lung", "right_lung")
ZONES = ("upper", "middle", "lower")
GRADES = ("small", "moderate", "large")
DEVICES = ("pacemaker", "breathing tube", "central line")
MAX_NODULES = 4
CTR_THRESHOLD = 0.5

DATASET = "phantom"
LICENCE = "CC0-1.0"


@dataclass(frozen=True)
class Finding:
    """One thing on the film.

    side and zone are empty where they say nothing (a breathing tube has no side). `size` is a nodule's
    radius, an effusion's height, a pneumothorax's share of the hemithorax width, a consolidation's radius
    or the cardiothoracic ratio. `grade` is its size in words, or which device it is. `box` holds
    x0, y0, x1, y1 from the top left; it is measured on the drawn mask.
    """

    kind: str
    side: Side | Literal[""] = ""
    zone: str = ""
    size: float = 0.0
    grade: str = ""
    box: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Study:
    """All that is known of one film.

    `number` counts the patient's studies from 1; `day` is days since the first of them. `ctr` is the
    cardiothoracic ratio, measured on the drawn outlines; the heart is enlarged where it is above 0.5.
    """

    id: str
    patient_id: str
    number: int
    day: int
    sex: Literal["F", "M"]
    age: int
    view: View
    ctr: float
    findings: tuple[Finding, ...]

    def of(self, kind: str) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    def has(self, kind: str) -> bool:
        """Whether the film shows this kind of finding."""
        return any(finding.kind == kind for finding in self.findings)

    def side(self, kind: str) -> Side | Literal[""]:
        """The one side on which all findings of a kind lie; empty where there is none, or more than one."""
        sides = {finding.side for finding in self.of(kind)}
        return sides.pop() if len(sides) == 1 else ""

    @property
    def present(self) -> tuple[str, ...]:
        """The kinds that the film shows, in the order of FINDINGS."""
        return tuple(kind for kind in FINDINGS if self.has(kind))

    @property
    def num_nodules(self) -> int:
        """How many nodules the film shows."""
        return len(self.of("nodule"))

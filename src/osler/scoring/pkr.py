"""PKR: how much of what a good line of reasoning says a candidate says, and says rightly.

A reference trace is a list of units of three axes: perception, knowledge, rationale. A judge says of each unit how far
the candidate speaks of it, presence p in {0, 1, 2}, and where it does (p >= 1) whether it is right, correctness c in
{-1, 0, 1}. For the units of axis a:

    presence_a    = mean of p / 2 over all units
    correctness_a = share of c = 1 among the units with p >= 1
    score_a       = presence_a * correctness_a           0 where no unit is spoken of
    score         = mean of the axes

(OpenMedReason, arXiv 2606.12169. Its published axis values 61.9, 70.8 and 80.2 give its published 70.9 only with this
mean; a factor of 1/2 that stands in one formula there does not.) A verdict that could not be read is never guessed:
its unit is left out of the score, and `low` and `high` say between what the score lies whatever the verdict would have
been. The same function serves as metric and as reward.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from osler.core.errors import InputError

Axis = Literal["perception", "knowledge", "rationale"]
AXES: Final[tuple[Axis, ...]] = ("perception", "knowledge", "rationale")
SIGNATURE: Final = "pkr|presence:p/2|correctness:c=1 of p>=1|axis:presence*correctness|mean of axes|v1"


@dataclass(frozen=True)
class UnitVerdict:
    """What a judge said of one unit.

    presence: 0, 1 or 2; None where it could not be read.
    correctness: -1, 0 or 1; None where it could not be read, or was not asked because presence is 0 or unread.
    """

    axis: Axis
    unit_id: str
    presence: int | None
    correctness: int | None = None

    def __post_init__(self) -> None:
        if self.axis not in AXES:
            raise InputError("no such axis", expected=", ".join(AXES), got=self.axis)
        if self.presence not in (None, 0, 1, 2):
            raise InputError(f"no such presence of unit {self.unit_id}", expected="0, 1 or 2", got=str(self.presence))
        if self.correctness not in (None, -1, 0, 1):
            raise InputError(
                f"no such correctness of unit {self.unit_id}", expected="-1, 0 or 1", got=str(self.correctness)
            )
        if self.correctness is not None and not self.presence:
            raise InputError(
                f"unit {self.unit_id} is judged although it is not there",
                expected="correctness only where presence is 1 or 2",
                got=f"presence {self.presence}, correctness {self.correctness}",
            )

    @property
    def is_read(self) -> bool:
        """Whether all that was asked of the unit could be read."""
        return self.presence == 0 or (self.presence is not None and self.correctness is not None)


@dataclass(frozen=True)
class AxisScore:
    """One axis of one trace, or the mean over traces. `correctness` is None where no unit is spoken of."""

    presence: float
    correctness: float | None
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class TraceScore:
    """One trace.

    value: the mean of the measured axes; None where an axis that has units has no readable verdict, or nothing has.
    low, high: what the value could be whatever the unreadable verdicts would have been; None without any unit.
    axes: by name, those with a readable verdict. num_units, num_unread: units, and those without a whole verdict.
    """

    value: float | None
    low: float | None
    high: float | None
    axes: Mapping[Axis, AxisScore]
    num_units: int
    num_unread: int


def trace_score(verdicts: Sequence[UnitVerdict]) -> TraceScore:
    """The score of one trace from the verdicts on all units of its reference. An axis without units has no part in it.

    Raises:
        InputError: two verdicts are on one unit.
    """
    keys = [(verdict.axis, verdict.unit_id) for verdict in verdicts]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InputError(f"two verdicts on unit {twice[1]} of {twice[0]}", expected="one verdict on each unit")
    own = {axis: [verdict for verdict in verdicts if verdict.axis == axis] for axis in AXES}
    own = {axis: units for axis, units in own.items() if units}
    bounds = [_bounds(units) for units in own.values()]
    axes = {axis: score for axis, units in own.items() if (score := axis_score(units)) is not None}
    whole = bool(own) and len(axes) == len(own)
    return TraceScore(
        value=_mean([score.score for score in axes.values()]) if whole else None,
        low=_mean([low for low, _ in bounds]) if bounds else None,
        high=_mean([high for _, high in bounds]) if bounds else None,
        axes=axes,
        num_units=len(verdicts),
        num_unread=sum(not verdict.is_read for verdict in verdicts),
    )


def axis_score(units: Sequence[UnitVerdict]) -> AxisScore | None:
    """The score of one axis over the units whose verdicts could be read; None where none could."""
    read = [unit for unit in units if unit.is_read]
    if not read:
        return None
    presence = _mean([(unit.presence or 0) / 2 for unit in read])
    engaged = [unit for unit in read if unit.presence]
    correctness = _mean([float(unit.correctness == 1) for unit in engaged]) if engaged else None
    low, high = _bounds(units)
    return AxisScore(presence, correctness, presence * (correctness or 0.0), low, high)


def overall(axes: Sequence[float]) -> float:
    """The score of axis scores, one for each of the three. Raises InputError for another number of them."""
    if len(axes) != len(AXES):
        raise InputError("PKR is the mean of its axes", expected=f"{len(AXES)} values", got=str(len(axes)))
    return _mean(axes)


def _bounds(units: Sequence[UnitVerdict]) -> tuple[float, float]:
    """The lowest and the highest score that any reading of the unread verdicts gives.

    The highest has each unread unit fully there and right. In the lowest each is barely there and wrong, since that
    takes more from the correctness than it adds to the presence.
    """
    worst = [(unit.presence if unit.presence is not None else 1, unit.correctness == 1) for unit in units]
    best = [
        (unit.presence if unit.presence is not None else 2, unit.correctness == 1 or not unit.is_read) for unit in units
    ]
    return _product(worst), _product(best)


def _product(states: Sequence[tuple[int, bool]]) -> float:
    engaged = [right for presence, right in states if presence]
    if not engaged:
        return 0.0
    return sum(presence for presence, _ in states) / (2 * len(states)) * (sum(engaged) / len(engaged))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

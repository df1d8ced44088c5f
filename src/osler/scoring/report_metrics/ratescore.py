"""RaTEScore from entities and their vectors: each entity against its nearest on the other side, weighed by types.

The weights and penalties are those of release 0.6.0 of the published package; another release has others.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

Form = Literal["long", "short"]
TYPES = ("ABNORMALITY", "ANATOMY", "DISEASE", "NON-ABNORMALITY", "NON-DISEASE")
NO_ENTITIES = 0.5
# Rows: type of the entity; columns: type of its nearest on the other side; both in the order of TYPES.
WEIGHTS: dict[Form, tuple[tuple[float, ...], ...]] = {
    "long": (
        (0.4276119164393705, 0.6240929990607657, 0.0034478181112993847, 0.5431049700217344, 0.27005425386213877),
        (0.7487824274337533, 0.2856134859160784, 0.4592143222158069, 0.02097055139911715, 0.00013736314126696204),
        (0.8396510075734789, 0.9950209388542061, 0.8460555030578727, 0.9820689020512646, 0.3789136708096537),
        (0.16546764653692908, 0.018670610691852826, 0.719397354576018, 0.0009357166071730684, 0.0927333564267591),
        (0.7759420231214385, 0.1839139293714062, 0.10073046076318157, 0.03860183811876373, 0.34065681486566446),
    ),
    "short": (
        (0.4070293318365468, 0.6952639610605605, 0.28342529466226446, 0.9479148658006686, 0.23875064111146294),
        (0.5829759950441763, 0.7709590751917746, 0.0006059634829551632, 0.794672584951181, 0.27982942400798977),
        (0.8840397619834857, 0.9637659445696822, 0.19018958438059513, 0.6962283914800402, 0.943727057946997),
        (0.1712744286898638, 0.4485149671497294, 0.00045065329822896076, 0.0007887930317199857, 0.8555432840895761),
        (0.9555801066212176, 0.13122106162635216, 0.6072996585919443, 0.05650711141169969, 0.3214769399791204),
    ),
}
PENALTY: dict[Form, float] = {"long": 0.8716553966489615, "short": 0.3611577852354489}


class Entities(NamedTuple):
    """types: one of TYPES an entity. vectors: one row an entity."""

    types: Sequence[str]
    vectors: np.ndarray


def ratescore(given: Entities, gold: Entities, form: Form) -> float:
    """Harmonic mean of the two directions; 0.5 where a side has no entity (as published: it rewards saying nothing)."""
    if not given.types or not gold.types:
        return NO_ENTITIES
    first, second = direction(gold, given, form), direction(given, gold, form)
    return 2 * first * second / (first + second) if first + second else 0.0


def direction(one: Entities, other: Entities, form: Form) -> float:
    """How well the entities of `one` are met by the other side; a pair of opposite polarity is cut by the penalty."""
    cosines = _unit(one.vectors) @ _unit(other.vectors).T
    nearest = cosines.argmax(axis=1)
    total = weights = 0.0
    for row, column in enumerate(nearest):
        mine, theirs = one.types[row], other.types[int(column)]
        weight = WEIGHTS[form][TYPES.index(mine)][TYPES.index(theirs)]
        total += float(cosines[row, column]) * weight * (PENALTY[form] if _is_opposite(mine, theirs) else 1.0)
        weights += weight
    return total / weights if weights else 0.0


def _is_opposite(one: str, other: str) -> bool:
    return "ANATOMY" not in (one, other) and one.startswith("NON-") != other.startswith("NON-")


def _unit(vectors: np.ndarray) -> np.ndarray:
    wide = np.asarray(vectors, dtype=np.float64)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)

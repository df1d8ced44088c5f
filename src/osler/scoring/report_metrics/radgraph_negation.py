"""Negation in two RadGraph graphs: observations that both name, and whether both say that they are there.

The labels are those of RadGraph 1.0 or of RadGraph-XL.
"""

from collections.abc import Mapping
from typing import Any

_STATES = {
    "OBS-DP": "present",
    "OBS-DA": "absent",
    "Observation::definitely present": "present",
    "Observation::definitely absent": "absent",
}


def negation_agreement(given: Mapping[str, Any], gold: Mapping[str, Any]) -> float | None:
    """Mean over the observations named in both of the shared share of what is said of them; 0 where none is shared.

    None where the reference names no observation as present or absent. What is uncertain is left out. An observation
    of which a report says both, on two sides say, agrees by half with one that says either.
    """
    said, true = _states(given), _states(gold)
    if not true:
        return None
    shares = [len(said[name] & true[name]) / len(said[name] | true[name]) for name in sorted(said.keys() & true.keys())]
    return sum(shares) / len(shares) if shares else 0.0


def _states(graph: Mapping[str, Any]) -> dict[str, set[str]]:
    states: dict[str, set[str]] = {}
    for entity in graph["entities"].values():
        if entity["label"] in _STATES:
            states.setdefault(entity["tokens"].lower(), set()).add(_STATES[entity["label"]])
    return states

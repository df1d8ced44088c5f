"""CheXbert F1: 14 findings of two reports compared, as counts that add up over reports."""

from collections.abc import Sequence
from typing import Literal

from osler.core.errors import InputError
from osler.scoring.classes import parts
from osler.scoring.scorer import Sums

FINDINGS = (
    "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema", "Consolidation",
    "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture", "Support Devices",
    "No Finding",
)  # fmt: skip
TOP5 = ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion")
BLANK, POSITIVE, NEGATIVE, UNCERTAIN = range(4)
Uncertain = Literal["positive", "negative"]


def positives(labels: Sequence[int], *, uncertain: Uncertain) -> frozenset[str]:
    """The findings that count as present. labels: one of blank 0, positive 1, negative 2, uncertain 3 a finding."""
    if len(labels) != len(FINDINGS) or not set(labels) <= {BLANK, POSITIVE, NEGATIVE, UNCERTAIN}:
        raise InputError("no CheXbert labels", expected=f"{len(FINDINGS)} numbers of 0..3", got=str(list(labels)))
    present = {POSITIVE, UNCERTAIN} if uncertain == "positive" else {POSITIVE}
    return frozenset(name for name, label in zip(FINDINGS, labels, strict=True) if label in present)


def sums(given: Sequence[int], gold: Sequence[int], *, findings: Sequence[str], uncertain: Uncertain) -> Sums:
    """One pair's part of the counts by finding."""
    ours, theirs = positives(given, uncertain=uncertain), positives(gold, uncertain=uncertain)
    found: dict[object, float] = {}
    for name in findings:
        found.update(parts(name, gold=name in theirs, given=name in ours))
    return found


def agreement(given: Sequence[int], gold: Sequence[int], *, findings: Sequence[str], uncertain: Uncertain) -> float:
    """The share of findings on which two reports agree, for reading single reports."""
    differ = positives(given, uncertain=uncertain) ^ positives(gold, uncertain=uncertain)
    return 1 - len(differ & set(findings)) / len(findings)

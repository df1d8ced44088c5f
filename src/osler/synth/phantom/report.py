"""The words about a film: a checklist, a caption in one sentence, and a report of findings and impression."""

import numpy as np

from osler.synth.phantom.truth import FINDINGS, Study
from osler.synth.phantom.wording import (
    USUAL_SHARE,
    capitalised,
    listed,
    nodules_phrase,
    phrase,
    pick,
    pick_usual,
    with_article,
)

_ABSENT = {
    "nodule": ("No nodule.", "No round spot."),
    "effusion": ("No effusion.", "No pleural fluid."),
    "pneumothorax": ("No pneumothorax.", "No collapsed lung."),
    "consolidation": ("No consolidation.", "The lungs are clear of infiltrate."),
    "cardiomegaly": ("Normal heart size.", "The heart is not enlarged."),
    "device": ("No device.", "No medical device."),
}
_NORMAL = ("Normal chest film.", "No abnormal finding.")
_MAX_NEGATIVES = 2
_MAX_WITH_ARTICLES = 3


def phrases(study: Study) -> list[str]:
    """What the film shows, one phrase a kind, in the order of FINDINGS."""
    words = []
    for kind in study.present:
        words += [nodules_phrase(study)] if kind == "nodule" else [phrase(finding) for finding in study.of(kind)]
    return words


def checklist(study: Study) -> str:
    """Each finding by its usual name with `yes` or `no`, in the order of FINDINGS."""
    return ", ".join(f"{kind} {'yes' if study.has(kind) else 'no'}" for kind in FINDINGS) + "."


def caption(rng: np.random.Generator, study: Study) -> str:
    """One sentence of at most 25 words."""
    words = phrases(study)
    if not words:
        normal = (f"{study.view} chest film: normal.", f"{study.view} chest film without abnormal finding.")
        return pick_usual(rng, normal)
    if len(words) > _MAX_WITH_ARTICLES or rng.random() < USUAL_SHARE:
        return f"{study.view} chest film: {listed(words)}."
    return f"{study.view} chest film with {listed([with_article(word) for word in words])}."


def report(rng: np.random.Generator, study: Study) -> str:
    """Findings and impression, at most 50 words; the findings name some of what is absent."""
    words = phrases(study)
    sentences = [f"{study.view} film."] + [f"{capitalised(word)}." for word in words]
    if study.has("cardiomegaly"):
        sentences.append(f"Cardiothoracic ratio {study.ctr:.2f}.")
    absent = [kind for kind in FINDINGS if not study.has(kind)]
    num_negatives = min(len(absent), _MAX_NEGATIVES)
    chosen = sorted(rng.permutation(len(absent))[:num_negatives].tolist())
    sentences += [pick(rng, _ABSENT[absent[index]]) for index in chosen]
    return f"Findings: {' '.join(sentences)} Impression: {_impression(rng, study)}"


def _impression(rng: np.random.Generator, study: Study) -> str:
    """The findings again, shorter: no sizes and no zones."""
    if not study.present:
        return pick(rng, _NORMAL)
    return capitalised(listed([_short(study, kind) for kind in study.present])) + "."


def _short(study: Study, kind: str) -> str:
    side = study.side(kind)
    if kind == "nodule":
        return f"{side} {'nodule' if study.num_nodules == 1 else 'nodules'}".strip()
    if kind == "device":
        return study.of(kind)[0].grade
    return f"{side} {kind}".strip()

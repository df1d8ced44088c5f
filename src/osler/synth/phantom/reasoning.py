"""Why an answer is right: the evidence on the film, the knowledge that reads it, the conclusion."""

from osler.synth.phantom.truth import Study
from osler.synth.phantom.wording import COUNT_WORDS, place

_KNOWLEDGE = {
    "nodule": "A sharp round spot in the lung is a nodule.",
    "effusion": "Fluid blunts the angle and climbs the wall.",
    "pneumothorax": "Air beside a lung edge without vessels is a pneumothorax.",
    "consolidation": "A cloud with soft edges is a consolidation.",
    "cardiomegaly": "A ratio above 0.5 means an enlarged heart.",
    "device": "Metal and plastic are brighter than bone.",
}
_ABSENT = {
    "nodule": "Both lungs are free of round spots.",
    "effusion": "Both angles are sharp and dark.",
    "pneumothorax": "Vessels reach both walls.",
    "consolidation": "Both lungs are free of clouds.",
    "device": "Nothing is brighter than bone.",
}


def trace(study: Study, kind: str, conclusion: str) -> str:
    """Evidence, knowledge and conclusion about one kind of finding, at most 45 words."""
    return f"Evidence: {_evidence(study, kind)} Knowledge: {_KNOWLEDGE[kind]} Conclusion: {conclusion}"


def pick_trace(words: str, letter: str) -> str:
    """The option that the film shows, in words, and then its letter."""
    return f"Seen: {words} {letter}."


def _evidence(study: Study, kind: str) -> str:
    if kind == "cardiomegaly":
        return f"The heart takes {study.ctr:.2f} of the chest width."
    if not study.has(kind):
        return _ABSENT[kind]
    first = study.of(kind)[0]
    if kind == "nodule":
        count = study.num_nodules
        where = f" in the {place(first)}" if count == 1 else ""
        return f"{COUNT_WORDS[count].capitalize()} sharp round {'spot' if count == 1 else 'spots'}{where}."
    if kind == "effusion":
        return f"The {first.side} angle is white."
    if kind == "pneumothorax":
        return f"A black rim and a thin line on the {first.side}."
    if kind == "consolidation":
        return f"A white cloud in the {place(first)}."
    return f"A bright {first.grade}."

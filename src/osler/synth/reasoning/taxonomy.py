"""Taxonomy: what a question about a figure may ask for, 19 categories in 5 families (after arXiv:2606.12169)."""

FAMILIES: dict[str, dict[str, str]] = {
    "perception": {
        "findings": "which abnormality or sign the picture shows",
        "anatomy": "which structure or organ is meant or affected",
        "normal_abnormal": "whether, or which part of, what is shown is normal",
        "annotation": "what an arrow, a letter or another mark in the picture points at",
        "spatial_location": "where something lies: side, region, layer, relation to something else",
        "counting": "how many of something there are",
    },
    "diagnosis": {
        "diagnosis": "the disease or condition that explains the picture",
        "mechanism": "the process that brought about what is seen",
        "differential": "which other disease must be told apart from it, and by what",
        "severity": "its grade, stage or extent",
    },
    "management": {
        "next_step": "what is to be done next for the patient",
        "surgical": "which operation or intervention fits, or what it must spare",
        "drug": "which medicine fits, and why",
    },
    "risk": {
        "complications": "what it may lead to if it goes wrong",
        "prognosis": "how it is likely to go on",
        "symptoms": "which complaint or sign in the patient goes with it",
        "safety": "what would be dangerous or is contraindicated here",
        "hereditary": "how it is inherited, or what that means for relatives",
    },
    "work_up": {
        "next_test": "which examination would settle or extend the finding",
    },
}
"""By family, each category with what it asks for."""

FAMILY_OF: dict[str, str] = {name: family for family, names in FAMILIES.items() for name in names}


def category_list() -> str:
    """The categories as a model is told them, one a line."""
    return "\n".join(
        f"- {name} ({family}): {asks}" for family, names in FAMILIES.items() for name, asks in names.items()
    )

"""Subsets: by which values scores are broken down beside the task's own subgroup.

modality       what the sample says of its images
question_type  the sample's own task and its form of answer
"""

from osler.evaluation.items import Item


def subsets_of(item: Item) -> dict[str, str]:
    """The item's value in each column; a column in which it has none is left out."""
    found = {"modality": item.sample.modality, "question_type": _question_type(item)}
    return {column: value for column, value in found.items() if value}


def _question_type(item: Item) -> str:
    kind = item.sample.answer.kind
    return f"{item.sample.task}/{kind}" if item.sample.task else kind

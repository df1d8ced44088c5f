"""Task: which stored questions are asked, how, and how the answers are scored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from osler.schema.sample import Split


@dataclass(frozen=True)
class Task:
    """A benchmark. A change that can move a number raises `version`.

    dataset: the provenance of the samples asked.
    tasks: values of `Sample.task` that are asked; none means all of the dataset.
    kinds: answer kinds that are asked.
    metrics: names of metrics, with `/variant` where meant; the first tells right from wrong in examples.
    cluster: what makes questions dependent: the sample's `group` (a patient) or its `image`.
    suffix: by answer kind, words added to the question that state the form of the answer.
    subgroup: a column of the store's index by which scores are also broken down; "" for none.
    num_shots: how many answered questions are shown before each question, drawn from train or validation.
    """

    name: str
    version: str
    dataset: str
    kinds: tuple[str, ...]
    metrics: tuple[str, ...]
    tasks: tuple[str, ...] = ()
    split: Split = "test"
    cluster: Literal["group", "image"] = "group"
    suffix: Mapping[str, str] = field(default_factory=dict)
    max_new_tokens: int = 16
    reasoning: bool = False
    subgroup: str = ""
    num_shots: int = 0

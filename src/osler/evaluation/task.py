"""Task: which stored questions are asked, in which words, how the answers are scored, and which list they must be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from osler.core.catalog import PROMPTS
from osler.evaluation.prompt import Prompt
from osler.schema.sample import Split

Cluster = Literal["image", "patient", "study", "article", "video", "question"]


@dataclass(frozen=True)
class ItemList:
    """Which items a task has in full.

    count: how many; None where that is not published, or where it depends on how the data were made.
    ids_sha256: of the sorted ids as JSON; None where nobody here has seen the whole list.
    note: how the count came about, or why there is none; said beside every score that is not verified.
    """

    count: int | None
    ids_sha256: str | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A benchmark. A change that can move a number raises `version`.

    dataset: the adapter whose samples are asked; it knows source, licence and layout.
    items: the list of items; a run on another list is refused, or marked as partial where the recipe permits it.
    kinds: the forms of answer that are asked: `choice` of listed options, `closed` labels, `open` phrases, a `number`,
    or `text`, a report.
    metrics: names of metrics, with `/variant` where meant; the first tells right from wrong in examples.
    tasks: values of `Sample.task` that are asked; none means all of the dataset.
    tags: what an asked sample has all of.
    cluster: what makes questions dependent: their `image`, or the unit that the adapter's groups are.
    prompt: the words that are added to the question, one of `evaluation/prompts/`.
    subgroup: a column of the store's index by which scores are also broken down; "" for none.
    num_shots: how many answered questions are shown before each question, drawn from train or validation.
    shot_tags: what these have all of; None where it is what asked samples have.
    """

    name: str
    version: str
    dataset: str
    items: ItemList
    kinds: tuple[str, ...]
    metrics: tuple[str, ...]
    cluster: Cluster
    prompt: str = "as_stored"
    tasks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    split: Split = "test"
    max_new_tokens: int = 16
    reasoning: bool = False
    subgroup: str = ""
    num_shots: int = 0
    shot_tags: tuple[str, ...] | None = None

    @property
    def suffix(self) -> Mapping[str, str]:
        """By kind of answer, the words that are added to the question."""
        prompt: Prompt = PROMPTS.load(self.prompt)
        return prompt.suffix

"""Metric: what a scoring rule is called, what it measures and how single scores become one number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from osler.core.catalog import METRICS
from osler.core.errors import InputError, did_you_mean
from osler.schema.sample import Answer

Pair = tuple[str | None, Answer]
"""What was parsed (None where nothing could be) and the gold answer."""


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean of at least one value."""
    return sum(values) / len(values)


@dataclass(frozen=True)
class Metric:
    """A scoring rule.

    name: the file's name, with `/variant` where there are several.
    signature: the exact variant in words, printed beside every number.
    range: lowest and highest possible value; higher is better.
    paper: where the rule is defined.
    kinds: the answer kinds it can measure; for others `score` gives None.
    score: one item's score; 0 for an unparsed answer, None where the metric cannot measure the item.
    corpus: for a rule that is no mean of item scores, the value over all pairs.
    variants: other named forms of the same rule.
    """

    name: str
    signature: str
    range: tuple[float, float]
    paper: str
    kinds: tuple[str, ...]
    score: Callable[[str | None, Answer], float | None]
    corpus: Callable[[Sequence[Pair]], float] | None = None
    variants: Mapping[str, "Metric"] = field(default_factory=dict)

    def aggregate(self, pairs: Sequence[Pair]) -> float | None:
        """The value over `pairs`; None if the metric measures none of them."""
        measured = [pair for pair in pairs if pair[1].kind in self.kinds]
        if self.corpus is not None:
            return self.corpus(measured) if measured else None
        scores = [score for score in (self.score(*pair) for pair in measured) if score is not None]
        return mean(scores) if scores else None


def load_metric(name: str) -> Metric:
    """The metric called `name` or `name/variant`. Raises InputError that names the nearest known one."""
    base, slash, variant = name.partition("/")
    metric: Metric = METRICS.load(base)
    if not slash:
        return metric
    if variant not in metric.variants:
        known = list(metric.variants)
        raise InputError(
            f"unknown variant {variant!r} of metric {base!r}",
            expected=f"one of {', '.join(known) or 'none: it has no variants'}",
            fix=did_you_mean(variant, known),
        )
    return metric.variants[variant]

"""Metric: what a scoring rule is called, what it measures and how single scores become one number."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from osler.core.catalog import METRICS
from osler.core.errors import InputError, did_you_mean
from osler.schema.sample import Answer

Pair = tuple[str | None, Answer]
"""What was parsed (None where nothing could be) and the gold answer."""


Sums = Mapping[Hashable, float]
"""Numbers that add up over items, by name. A corpus metric is a function of their sums and of nothing else."""


class Extracted(Protocol):
    """What models found in texts. `value` raises InputError for an extractor that is unavailable."""

    def reason(self, name: str) -> str:
        """Why the extractor called `name` is unavailable; "" where it is ready."""

    def value(self, name: str, text: str) -> Any:
        """What the extractor called `name` found in `text`."""

    def fetch(self, name: str, texts: Iterable[str]) -> None:
        """Run the extractor over all `texts` that it has not seen, in batches."""

    def identity(self, name: str) -> str:
        """Which model with which weights the extractor is, in a few characters for the signature."""


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean of at least one value."""
    return sum(values) / len(values)


@dataclass(frozen=True)
class Metric:
    """A scoring rule.

    name: the file's name, with `/variant` where there are several.
    signature: the exact variant in words, printed beside every number.
    range: lowest and highest possible value.
    paper: where the rule is defined.
    kinds: the answer kinds it can measure; for others `score` gives None.
    score: one item's score; 0 for an unparsed answer, None where the metric cannot measure the item.
    corpus: for a rule that is no mean of item scores, the value over all pairs.
    variants: other named forms of the same rule.
    better: which end of the range is good; an unparsed answer scores at the other one or as an empty text does.
    sums, of_sums: where a corpus value is a function of sums over items, an item's part of them and that function. A
    bootstrap over them costs one addition a cluster.
    needs: names of the extractors whose weights it needs. Without them every score is None: unavailable, never 0.
    bind: the same metric with the extractors at hand.
    texts: for a metric with needs, (extractor, text) pairs that one item needs.
    remark: words to print beside a value and its interval; "" for none.
    """

    name: str
    signature: str
    range: tuple[float, float]
    paper: str
    kinds: tuple[str, ...]
    score: Callable[[str | None, Answer], float | None]
    corpus: Callable[[Sequence[Pair]], float] | None = None
    variants: Mapping[str, "Metric"] = field(default_factory=dict)
    better: Literal["higher", "lower"] = "higher"
    sums: Callable[[str | None, Answer], Sums] | None = None
    of_sums: Callable[[Sums], float] | None = None
    needs: tuple[str, ...] = ()
    bind: Callable[[Extracted], "Metric"] | None = None
    texts: Callable[[str | None, Answer], Iterable[tuple[str, str]]] | None = None
    remark: Callable[[float, tuple[float, float] | None], str] | None = None

    def reason(self, extracted: Extracted) -> str:
        """Why it cannot be measured with what is at hand; "" where it can."""
        return "; ".join(reason for name in self.needs if (reason := extracted.reason(name)))

    def bound(self, extracted: Extracted, pairs: Iterable[Pair] = ()) -> "Metric":
        """The metric ready to score `pairs`: extractors run over their texts once, in batches.

        A metric without needs, or one whose needs are not met (see `reason`), is returned as it is.
        """
        if self.bind is None or self.reason(extracted):
            return self
        wanted: dict[str, dict[str, None]] = {name: {} for name in self.needs}
        for parsed, answer in pairs:
            for name, text in self.texts(parsed, answer) if self.texts and answer.kind in self.kinds else ():
                wanted[name][text] = None
        for name, texts in wanted.items():
            extracted.fetch(name, texts)
        return self.bind(extracted)

    def aggregate(self, pairs: Sequence[Pair]) -> float | None:
        """The value over `pairs`; None if the metric measures none of them."""
        measured = [pair for pair in pairs if pair[1].kind in self.kinds]
        if self.corpus is not None:
            return self.corpus(measured) if measured else None
        if self.of_sums is not None and self.sums is not None:
            return self.of_sums(total(self.sums(*pair) for pair in measured)) if measured else None
        scores = [score for score in (self.score(*pair) for pair in measured) if score is not None]
        return mean(scores) if scores else None


def unmeasured(parsed: str | None, answer: Answer) -> None:
    """The score of a metric whose extractors are not at hand: none, whatever the answer."""


def total(parts: Iterable[Sums]) -> Sums:
    """The sums over items."""
    sums: Counter[Hashable] = Counter()
    for part in parts:
        for name, value in part.items():
            sums[name] += value  # type: ignore[assignment]
    return sums


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

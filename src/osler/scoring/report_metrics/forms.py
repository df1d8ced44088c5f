"""Forms of a report metric: unmeasured as declared, and bound to extractors when they are at hand."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from osler.schema.sample import Answer
from osler.scoring.report_metrics.pairs import pair_key
from osler.scoring.scorer import Extracted, Metric, Sums, unmeasured

KINDS = ("text",)
Score = Callable[[str, str, Extracted], float | None]
Part = Callable[[str | None, str, Extracted], Sums]


def text_needs(parsed: str | None, answer: Answer, *, names: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    """Both texts of an item for extractors that read one text, and the pair of them for those that read two."""
    if parsed is not None:
        for name in names:
            if name in PAIRED:
                yield name, pair_key(parsed, answer.text)
            else:
                yield from ((name, parsed), (name, answer.text))


PAIRED = {"bertscore", "green"}


def form(
    name: str,
    detail: str,
    score: Score,
    *,
    needs: tuple[str, ...],
    unparsed: float = 0.0,
    sums: Part | None = None,
    **fields: Any,
) -> Metric:
    """A metric of reports. score: of the text given and the reference. unparsed: what an answer without text scores."""
    metric = Metric(
        name=name,
        signature=f"{name}|{detail}|unparsed:{unparsed:g}|v:1",
        kinds=KINDS,
        score=unmeasured,
        needs=needs,
        texts=partial(text_needs, names=needs),
        **fields,
    )
    return replace(metric, bind=partial(_bind, metric, score, unparsed, sums))


def _bind(metric: Metric, score: Score, unparsed: float, sums: Part | None, extracted: Extracted) -> Metric:
    weights = ",".join(f"{name}={extracted.identity(name)}" for name in metric.needs)

    def of_item(parsed: str | None, answer: Answer) -> float | None:
        if answer.kind not in KINDS:
            return None
        return unparsed if parsed is None else score(parsed, answer.text, extracted)

    return replace(
        metric,
        signature=f"{metric.signature}|weights:{weights}",
        score=of_item,
        sums=partial(_sums, sums, extracted) if sums is not None else None,
        bind=None,
    )


def _sums(sums: Part, extracted: Extracted, parsed: str | None, answer: Answer) -> Sums:
    return sums(parsed, answer.text, extracted)


def family(name: str, default: str, variants: Mapping[str, Metric]) -> Metric:
    """The metric `name`, which is its default variant under its own name and holds all of them."""
    own = variants[default]
    return replace(own, name=name, variants=dict(variants), bind=partial(_bind_family, name, own))


def _bind_family(name: str, own: Metric, extracted: Extracted) -> Metric:
    return replace(own.bound(extracted), name=name)

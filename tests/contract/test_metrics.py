"""What every metric owes: a name, a signature, a range it keeps, a source, and examples that it reproduces."""

import json
from pathlib import Path
from typing import get_args

import pytest

from osler.core.catalog import METRICS
from osler.schema.sample import Answer, choice, closed, number, open_answer, passage
from osler.scoring.scorer import Metric, load_metric
from recorded import Recorded

FIXTURES = Path(__file__).parents[1] / "fixtures" / "metrics"
KINDS = get_args(Answer.model_fields["kind"].annotation)
GOLD = {
    "closed": (closed("yes"), "yes", "no"),
    "choice": (choice("edema", ("effusion", "edema")), "B", "A"),
    "number": (number(3), "3", "7"),
    "open": (open_answer("left lung base"), "left lung base", "xyz"),
    "text": (passage("The heart is wide."), "The heart is wide.", "xyz"),
}
# Measures texts that name the generator's findings.
OWN_GOLD = {"phantom_findings": {"text": (passage("Small left effusion."), "Small left effusion.", "xyz")}}
ALL = [name for base in METRICS.names() for name in (base, *(f"{base}/{v}" for v in METRICS.load(base).variants))]
# Reproduce published mistakes, in which a perfect answer is not the best: characters taken for words, and a fit in
# which a shared pair of words makes a report worse.
KNOWN_WRONG = {"bleu1/sonsbeek-char", "radcliq/v0"}
# A class that nobody named counts 0, so that one perfect answer is no perfect mean.
OVER_CLASSES = {"macro_f1", "macro_f1/declared"} | {name for name in ALL if name.startswith("chexbert_f1/macro")}
# Without a bottom that a report could reach: an unparsed answer scores as one that shares nothing.
UNPARSED_AS_UNRELATED = {name for name in ALL if name.partition("/")[0] in {"bertscore", "radcliq"}}


def bound(name: str) -> Metric:
    """The metric, with what its extractors found in the fixtures' texts where it needs some."""
    metric = load_metric(name)
    found = FIXTURES / name.partition("/")[0] / "found.json"
    return metric.bound(Recorded(json.loads(found.read_text()))) if metric.needs else metric


@pytest.fixture(params=ALL)
def metric(request) -> Metric:
    return bound(request.param)


def test_says_what_it_is(request, metric):
    name = request.node.callspec.params["metric"]
    assert metric.name == name
    assert metric.signature.startswith(name) and "|v:" in metric.signature
    assert len(metric.paper) > 10
    assert metric.kinds and set(metric.kinds) <= set(KINDS)
    assert metric.range[0] < metric.range[1]
    assert METRICS.summary(name.partition("/")[0])


@pytest.mark.parametrize("kind", KINDS)
def test_keeps_its_range_and_measures_only_its_kinds(metric, kind):
    answer, right, wrong = (GOLD | OWN_GOLD.get(metric.name, {}))[kind]
    if kind not in metric.kinds:
        assert metric.score(right, answer) is None and metric.aggregate([(right, answer)]) is None
        return
    bad, good = metric.range if metric.better == "higher" else metric.range[::-1]
    values = [metric.score(right, answer), metric.score(wrong, answer), metric.score(None, answer)]
    values += [metric.aggregate([(right, answer)]), metric.aggregate([(right, answer), (None, answer)])]
    assert all(value is not None and min(bad, good) <= value <= max(bad, good) for value in values)
    if metric.name not in UNPARSED_AS_UNRELATED:
        assert values[2] == bad, "an unparsed answer scores as low as can be"
    assert values[2] != values[0]
    if metric.name not in KNOWN_WRONG:
        assert values[0] == pytest.approx(good, abs=1e-8) and abs(values[1] - bad) < abs(good - bad)
    if metric.name not in KNOWN_WRONG | OVER_CLASSES:
        assert values[3] == pytest.approx(good, abs=1e-8)


@pytest.mark.parametrize("name", [name for name in ALL if load_metric(name).needs])
def test_without_its_weights_it_is_unavailable_and_never_zero(name):
    metric = load_metric(name)
    answer, right, _ = GOLD["text"]
    assert all(f"metric_weights.{need}" in metric.reason(Recorded({})) for need in metric.needs)
    assert metric.bound(Recorded({}), [(right, answer)]) is metric
    assert metric.score(right, answer) is None and metric.score(None, answer) is None
    assert metric.aggregate([(right, answer), (None, answer)]) is None


def test_nothing_to_measure_is_none(metric):
    assert metric.aggregate([]) is None


@pytest.mark.parametrize("name", METRICS.names())
def test_examples(name):
    metric = bound(name)
    examples = json.loads((FIXTURES / name / "examples.json").read_text())
    scores = [metric.score(example["parsed"], Answer.model_validate(example["answer"])) for example in examples]
    assert len(scores) >= 3
    for score, example in zip(scores, examples, strict=True):
        assert score == (None if example["score"] is None else pytest.approx(example["score"], abs=1e-9)), example

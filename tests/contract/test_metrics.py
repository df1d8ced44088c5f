"""What every metric owes: a name, a signature, a range it keeps, a source, and examples that it reproduces."""

import json
from pathlib import Path
from typing import get_args

import pytest

from osler.core.catalog import METRICS
from osler.schema.sample import Answer, choice, closed, number, open_answer, passage
from osler.scoring.scorer import Metric, load_metric

FIXTURES = Path(__file__).parents[1] / "fixtures" / "metrics"
KINDS = get_args(Answer.model_fields["kind"].annotation)
GOLD = {
    "closed": (closed("yes"), "yes", "no"),
    "choice": (choice("edema", ("effusion", "edema")), "B", "A"),
    "number": (number(3), "3", "7"),
    "open": (open_answer("left lung base"), "left lung base", "xyz"),
    "text": (passage("The heart is wide."), "The heart is wide.", "xyz"),
}
ALL = [name for base in METRICS.names() for name in (base, *(f"{base}/{v}" for v in METRICS.load(base).variants))]
KNOWN_WRONG = {"bleu1/sonsbeek-char"}  # reproduces a published mistake, in which a perfect answer scores below 1


@pytest.fixture(params=ALL)
def metric(request) -> Metric:
    return load_metric(request.param)


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
    answer, right, wrong = GOLD[kind]
    if kind not in metric.kinds:
        assert metric.score(right, answer) is None and metric.aggregate([(right, answer)]) is None
        return
    low, high = metric.range
    values = [metric.score(right, answer), metric.score(wrong, answer), metric.score(None, answer)]
    values += [metric.aggregate([(right, answer)]), metric.aggregate([(right, answer), (None, answer)])]
    assert all(value is not None and low <= value <= high for value in values)
    assert values[2] == low, "an unparsed answer scores as low as can be"
    if metric.name not in KNOWN_WRONG:
        assert values[0] == pytest.approx(high, abs=1e-8) and values[3] == pytest.approx(high, abs=1e-8)
        assert values[1] < high


def test_nothing_to_measure_is_none(metric):
    assert metric.aggregate([]) is None


@pytest.mark.parametrize("name", METRICS.names())
def test_examples(name):
    metric = load_metric(name)
    examples = json.loads((FIXTURES / name / "examples.json").read_text())
    scores = [metric.score(example["parsed"], Answer.model_validate(example["answer"])) for example in examples]
    assert len(scores) >= 3
    for score, example in zip(scores, examples, strict=True):
        assert score == (None if example["score"] is None else pytest.approx(example["score"], abs=1e-9)), example

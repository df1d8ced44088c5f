"""Metrics of whole reports inside results: unavailable with a reason, or measured with what stands beside them."""

import json
from pathlib import Path

from osler.evaluation.context import EvalContext, TaskContext
from osler.evaluation.results import make_results
from osler.schema.prediction import Prediction
from osler.schema.sample import passage
from recorded import Recorded

FIXTURES = Path(__file__).parents[2] / "fixtures" / "metrics"
TEXTS = ("The heart is wide.", "xyz", "The heart is wide.")


def predictions(texts):
    return [
        Prediction(
            item_id=str(n), task="reports", cluster=str(n), prompt_sha256="", raw=text, final=text, status="ok",
            parsed=text, gold=passage("The heart is wide."),
        )
        for n, text in enumerate(texts)
    ]  # fmt: skip


def results(texts, extracted=None, *metrics):
    context = EvalContext(model="m", tasks=(TaskContext(name="reports", version="1", metrics=metrics),))
    return make_results(predictions(texts), context, extracted)


def found(name):
    return Recorded(json.loads((FIXTURES / name / "found.json").read_text()))


def test_without_weights_the_value_is_none_and_the_reason_is_noted():
    for result in results(TEXTS, None, "radgraph_f1", "chexbert_f1/macro5", "radcliq"):
        assert result.value is None and result.ci_low is None and result.n == 0
        assert any(note.startswith("unavailable: recipe key metric_weights.") for note in result.notes)
    (plain,) = results(TEXTS, None, "rouge")
    assert plain.value is not None and not any("unavailable" in note for note in plain.notes)


def test_with_weights_it_is_measured_and_the_signature_names_them():
    extracted = found("radgraph_f1")
    (result,) = results(TEXTS, extracted, "radgraph_f1")
    assert result.value == 2 / 3 and result.n == 3 and "weights:radgraph=recorded" in result.metric_signature
    assert {text for _, text in extracted.fetched} == set(TEXTS)


def test_a_corpus_metric_gets_a_bootstrap_interval():
    (result,) = results(TEXTS, found("chexbert_f1"), "chexbert_f1")
    assert result.ci_method.startswith("cluster-bootstrap") and result.ci_low <= result.value <= result.ci_high


def test_radcliq_keeps_its_own_value_and_refuses_its_inverse_for_good_reports():
    (result,) = results(TEXTS, found("radcliq"), "radcliq")
    assert result.value is not None and any("no compatibility column" in note for note in result.notes)


def test_items_that_could_not_be_measured_are_counted():
    (result,) = results(("The heart is wide.", "?"), found("green"), "green")
    assert (result.value, result.n) == (1.0, 1)
    assert "1 of 2 items could not be measured, left out of n" in result.notes

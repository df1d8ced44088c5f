from bundle_world import RESULT
from osler.schema.result import Result
from osler.serve.bundle.card import Facts, card_text


def test_a_card_without_results_says_so_and_one_not_measured_is_no_zero():
    assert "nothing is known of how well it answers" in card_text(Facts("toy"))
    row = Result.model_validate({**RESULT, "value": None, "ci_low": None, "ci_high": None, "baseline": {}})
    assert "| not measured | 160 | 80 | 3 | none |" in card_text(Facts("toy", results=[row]))

import pytest

from osler.core.errors import InputError
from osler.scoring.encoders.compare import compare_encoders
from osler.scoring.encoders.measured import measured
from osler.scoring.encoders.results import encoder_results
from transfer_world import made_up_runs


def test_a_better_encoder_is_told_apart_on_each_set_and_on_their_mean():
    found = compare_encoders(measured(made_up_runs({"good": 0.9, "bad": 0.5})))
    assert [each.probe for each in found] == ["linear"] and found[0].sets == ("alpha", "beta")
    by_set = {pair.set_name: pair for pair in found[0].pairs}
    assert set(by_set) == {"alpha", "beta", "mean"}
    for pair in by_set.values():
        assert pair.difference.value > 0.2 and pair.difference.ci_low > 0
        assert pair.difference.p_holm < 0.05 and pair.difference.test.startswith("groups-swapped")
    assert by_set["mean"].wilcoxon_p == 0.5  # two sets: the least that the test can give
    assert found[0].ranking.encoders == ("good", "bad") and "cannot separate" in found[0].ranking.verdict


def test_equal_encoders_are_not_told_apart():
    found = compare_encoders(measured(made_up_runs({"one": 0.7, "two": 0.7})))
    assert all(pair.difference.p_holm > 0.05 for pair in found[0].pairs)


def test_holm_is_over_all_pairs_and_sets_of_a_probe():
    found = compare_encoders(measured(made_up_runs({"x": 0.7, "y": 0.72, "z": 0.74})))[0]
    own = [pair.difference for pair in found.pairs if pair.set_name != "mean"]
    assert len(own) == 6
    least = min(each.p for each in own)
    assert min(each.p_holm for each in own) == pytest.approx(min(1.0, 6 * least))


def test_scores_of_two_protocols_are_refused():
    runs = made_up_runs({"one": 0.7}) + made_up_runs({"two": 0.7}, protocol="q" * 64)
    with pytest.raises(InputError, match="different protocols are not ranked together"):
        compare_encoders(measured(runs))


def test_a_set_that_an_encoder_lacks_or_saw_otherwise_is_left_out_with_its_reason():
    runs = made_up_runs({"one": 0.7, "two": 0.7})
    lacking = [run for run in runs if (run.encoder, run.set_name) != ("two", "beta")]
    found = compare_encoders(measured(lacking))[0]
    assert found.sets == ("alpha",) and found.left_out == ("set beta: two not measured on it",)
    other = made_up_runs({"two": 0.7}, n=50)
    mixed = [run for run in runs if run.encoder == "one"] + other
    found = compare_encoders(measured(mixed))[0]
    assert found.sets == () and "different images" in found.left_out[0] and found.ranking is None


def test_one_encoder_measured_twice_is_an_error():
    with pytest.raises(InputError, match="measured twice"):
        measured(made_up_runs({"one": 0.7}) * 2)


def test_results_carry_counts_interval_baseline_seeds_and_protocol():
    results = encoder_results(measured(made_up_runs({"good": 0.9})))
    first = results[0]
    assert (first.task, first.metric, first.model) == ("alpha/linear", "macro_f1", "good")
    assert first.n == first.n_clusters == 60 and first.protocol_sha256 == "p" * 64
    assert first.ci_low < first.value < first.ci_high
    assert 0 < first.baseline["majority"].value < 0.34
    assert first.notes[0].startswith("by seed (0, 1, 2, 3, 4): ")
    mean = results[-1]
    assert mean.task == "mean/linear" and mean.value == pytest.approx(
        sum(each.value for each in results if each.metric == "macro_f1" and each.task != "mean/linear") / 2
    )


def test_flagged_items_give_a_second_score_without_them():
    runs = made_up_runs({"good": 0.9}, sets=("alpha",))
    for run in runs:
        run.answers[""].__dict__["flags"] = ("same_file: x",) * 10 + ("",) * 50
    results = encoder_results(measured(runs))
    tasks = [each.task for each in results if each.metric == "macro_f1"]
    assert tasks == ["alpha/linear", "alpha/linear/unseen"]
    assert results[0].n == 60 and results[3].n == 50
    assert any("10 test images copy" in note for note in results[0].notes)

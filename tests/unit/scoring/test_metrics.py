"""Metrics against published vectors, peers and by hand."""

import json
from pathlib import Path

import pytest

from osler.core.errors import InputError
from osler.schema.sample import choice, closed, number, open_answer, passage
from osler.scoring import ngrams
from osler.scoring.metrics.token_f1 import overlap
from osler.scoring.scorer import load_metric

V = json.loads((Path(__file__).parents[2] / "golden" / "metric_vectors.json").read_text())
PAIRS = [(prediction, open_answer(reference)) for prediction, reference in V["bleu1"]["pairs"]]


@pytest.mark.parametrize(
    ("variant", "published"),
    [
        ("nltk-sent", "mean_nltk_sentence"),
        ("nltk-sent-lower", "mean_nltk_sentence_lowercased"),
        ("nltk-corpus", "corpus_nltk"),
        ("coco-corpus", "corpus_pycocoevalcap"),
        ("sacre-13a", "corpus_sacrebleu_13a_mixed"),
        ("sacre-13a-lc", "corpus_sacrebleu_13a_lc"),
        ("sonsbeek-char", "mean_prefix_tuning_char_bug"),
    ],
)
def test_bleu1_aggregates(variant, published):
    value = load_metric(f"bleu1/{variant}").aggregate(PAIRS)
    assert value == pytest.approx(V["bleu1"]["aggregate"][published], abs=1e-9)


@pytest.mark.parametrize(
    ("variant", "published"), [("nltk-sent", "nltk_sentence_split"), ("sonsbeek-char", "prefix_tuning_char_bug")]
)
def test_bleu1_pairs(variant, published):
    metric = load_metric(f"bleu1/{variant}")
    assert [metric.score(*pair) for pair in PAIRS] == pytest.approx(V["bleu1"][published], abs=1e-9)


def test_bleu1_default_is_the_lower_cased_sentence_form():
    assert load_metric("bleu1").signature == load_metric("bleu1/nltk-sent-lower").signature
    assert load_metric("bleu1").aggregate(PAIRS) == pytest.approx(0.49404964616710084, abs=1e-9)


@pytest.mark.parametrize(
    ("given", "references", "value_of_nltk_3_10"),
    [
        ("the left lung base is clear", ("left lung base", "base of the left lung", "left"), 0.6666666666666666),
        ("lung", ("left lung", "the lung field"), 0.36787944117144233),
        ("a a a lung", ("a lung", "lung a field here"), 0.5),
    ],
)
def test_bleu1_with_alternatives(given, references, value_of_nltk_3_10):
    assert load_metric("bleu1/nltk-sent").score(given, open_answer(*references)) == pytest.approx(value_of_nltk_3_10)


def test_bleu1_counts_an_unparsed_answer_as_one_without_words():
    answers = [("left lung", open_answer("left lung")), (None, open_answer("left lung"))]
    assert load_metric("bleu1").aggregate(answers) == 0.5
    assert load_metric("bleu1/sacre-13a-lc").aggregate(answers) == pytest.approx(0.36787944117144233)


def test_13a_keeps_numbers_whole():
    from osler.scoring.ngrams import words_13a

    assert words_13a("T2-weighted, 1.5 mm (left).") == ["T2", "-", "weighted", ",", "1.5", "mm", "(", "left", ")", "."]


def test_token_overlap_vector():
    v = V["token_prf"]
    assert overlap(v["pred"], v["ref"]) == pytest.approx((v["precision"], v["recall"], v["f1"]))


def test_token_f1_as_set_and_as_multiset_differ_on_repeated_words():
    answer = open_answer("left lung")
    assert load_metric("token_f1/set").score("left left lung", answer) == 1.0
    assert load_metric("token_f1/multiset").score("left left lung", answer) == pytest.approx(0.8)
    assert load_metric("token_f1").signature == load_metric("token_f1/multiset").signature


def test_token_f1_without_words_is_zero_and_takes_the_best_alternative():
    assert overlap("", "left") == overlap("", "") == (0, 0, 0)
    assert load_metric("token_f1").score("chest film", open_answer("x-ray", "chest film")) == 1.0


def test_unparsed_is_wrong_and_an_unfit_kind_is_not_measured():
    assert load_metric("closed_accuracy").aggregate([("yes", closed("yes")), (None, closed("yes"))]) == 0.5
    assert load_metric("closed_accuracy").score("yes", open_answer("yes")) is None
    assert load_metric("closed_accuracy").aggregate([("yes", open_answer("yes"))]) is None
    assert load_metric("choice_accuracy").score("B", choice("x", ("y", "x"))) == 1.0


def test_numbers_are_right_within_their_tolerance():
    metric = load_metric("number_within")
    assert [metric.score(p, number(0.5, 0.05)) for p in ("0.55", "0.45", "0.551", None)] == [1, 1, 0, 0]
    assert metric.score("3", number(3)) == 1.0 and metric.score("3.01", number(3)) == 0.0


def test_exact_match_forgives_case_and_spaces_only():
    metric = load_metric("exact_match")
    answer = open_answer("Left lung", "left pulmonary field")
    texts = (" left  LUNG. ", "Left Pulmonary Field", "the left lung", "lung")
    assert [metric.score(text, answer) for text in texts] == [1, 1, 0, 0]
    assert metric.score("B", choice("x", ("y", "x"))) == 1.0


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'bleu"):
        load_metric("bleu3")
    with pytest.raises(InputError, match="'coco-corpus'"):
        load_metric("bleu1/coco-corpse")
    with pytest.raises(InputError, match="no variants|none"):
        load_metric("exact_match/loose")


REPORTS = [
    ("The heart is wide and the lungs are clear.", "The heart is wide. The lungs are clear."),
    ("No effusions, no edema", "There is no pleural effusion and no edema."),
    ("Stable cardiomegaly 1.5 cm", "Stable cardiomegaly."),
    ("lung", "lung"),
    ("nothing shared", "The heart is wide."),
]


@pytest.mark.parametrize(("name", "order"), [("bleu2/radcliq", 2), ("bleu2/coco-corpus", 2), ("bleu4", 4)])
def test_report_bleu_of_one_report_equals_nltk(name, order):
    peer = pytest.importorskip("nltk.translate.bleu_score")
    smooth = peer.SmoothingFunction(epsilon=0.1).method1
    tokenise = ngrams.report_words if name == "bleu2/radcliq" else str.split
    for given, gold in REPORTS:
        words = [tokenise(gold)], tokenise(given)
        expected = peer.sentence_bleu(*words, weights=[1 / order] * order, smoothing_function=smooth)
        if len(words[1]) >= order:
            assert load_metric(name).score(given, passage(gold)) == pytest.approx(expected, abs=1e-12)


def test_report_bleu_over_a_corpus_equals_nltk_up_to_its_constants():
    peer = pytest.importorskip("nltk.translate.bleu_score")
    pairs = [(given, passage(gold)) for given, gold in REPORTS[:3]]
    references = [[gold.text.split()] for _, gold in pairs]
    expected = peer.corpus_bleu(references, [given.split() for given, _ in pairs], weights=[0.5, 0.5])
    assert load_metric("bleu2/coco-corpus").aggregate(pairs) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("stem", [False, True])
def test_rouge_equals_the_package_rouge_score(stem):
    peer = pytest.importorskip("rouge_score.rouge_scorer")
    scorer = peer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem)
    for given, gold in REPORTS:
        published = scorer.score(gold, given)
        for order in ("1", "2", "l"):
            ours = load_metric(f"rouge/{order}{'-stem' if stem else ''}").score(given, passage(gold))
            assert ours == pytest.approx(published[f"rouge{order.upper()}"].fmeasure, abs=1e-12)


def test_rouge_by_hand():
    given, gold = REPORTS[1][0], passage(REPORTS[1][1])
    assert load_metric("rouge/1").score(given, gold) == pytest.approx(2 * 3 / (4 + 8))  # no, no, edema
    assert load_metric("rouge/1-stem").score(given, gold) == pytest.approx(2 * 4 / (4 + 8))  # and effusions
    assert load_metric("rouge/2").score(given, gold) == pytest.approx(2 * 1 / (3 + 7))  # no edema
    assert load_metric("rouge/l").score(given, gold) == pytest.approx(2 * 3 / (4 + 8))


def test_macro_f1_and_balanced_accuracy_equal_scikit_learn():
    peer = pytest.importorskip("sklearn.metrics")
    labels = ("yes", "no", "maybe")
    golds = ["yes", "yes", "no", "yes", "no", "yes", "no", "yes"]
    given = ["yes", "no", "no", "yes", None, "no", "no", "yes"]
    pairs = [(parsed, closed(gold, labels)) for parsed, gold in zip(given, golds, strict=True)]
    plain = [parsed or "none" for parsed in given]
    expected = peer.f1_score(golds, plain, labels=list(labels), average="macro", zero_division=0)
    assert load_metric("macro_f1").aggregate(pairs) == pytest.approx(expected, abs=1e-12)
    occurring = peer.f1_score(golds, plain, labels=["yes", "no"], average="macro", zero_division=0)
    assert load_metric("macro_f1/occurring").aggregate(pairs) == pytest.approx(occurring, abs=1e-12)
    recall = peer.recall_score(golds, plain, labels=["yes", "no"], average="macro")
    assert load_metric("balanced_accuracy").aggregate(pairs) == pytest.approx(recall, abs=1e-12)


def test_a_class_that_only_predictions_name_does_not_vanish():
    pairs = [("maybe", closed("yes", ("yes", "no", "maybe"))), ("no", closed("no", ("yes", "no", "maybe")))]
    assert load_metric("macro_f1").aggregate(pairs) == load_metric("macro_f1/occurring").aggregate(pairs) == 1 / 3
    assert load_metric("balanced_accuracy").aggregate(pairs) == 0.5


def test_token_precision_and_recall_are_not_swapped():
    v = V["token_prf"]
    for part in ("precision", "recall", "f1"):
        assert load_metric(f"token_{part}").score(v["pred"], open_answer(v["ref"])) == pytest.approx(v[part])


def test_open_accuracy_by_recall_passes_an_answer_that_names_everything():
    answer = open_answer("left lower lung lobe")
    everything = "left or right lower or upper lung lobe"
    assert load_metric("open_accuracy").score(everything, answer) == 0.0
    assert load_metric("open_accuracy/recall-075").score(everything, answer) == 1.0
    assert load_metric("open_accuracy/recall-075").score("left lung", answer) == 0.0

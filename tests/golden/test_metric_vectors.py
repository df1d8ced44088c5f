"""The pure scorers of reports against published values."""

import json
from pathlib import Path

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.scoring.classes import by_class, macro_f1, micro_f1
from osler.scoring.report_metrics.chexbert import FINDINGS, TOP5, positives, sums
from osler.scoring.report_metrics.green import Analysis, green, read_analysis
from osler.scoring.report_metrics.radcliq import Components, inverse_of_mean, inverse_remark, radcliq
from osler.scoring.report_metrics.radgraph import radcliq_overlap, radgraph_f1
from osler.scoring.report_metrics.ratescore import Entities, direction, ratescore
from osler.scoring.scorer import total

V = json.loads((Path(__file__).parent / "metric_vectors.json").read_text())


@pytest.mark.parametrize("row", V["radcliq"]["unit"])
def test_radcliq_of_unit_points(row):
    for version in ("v0", "v1"):
        assert radcliq(Components(*row["x"]), version) == pytest.approx(row[version], abs=1e-7)


def test_radcliq_of_published_leaderboard_rows():
    tolerance = V["radcliq"]["rexrank_rows_tol"]
    for row in V["radcliq"]["rexrank_rows"]:
        assert radcliq(Components(*row["x"]), "v1") == pytest.approx(row["v1"], abs=tolerance)
        assert radcliq(Components(*row["x"]), "v0") == pytest.approx(row["v0"], abs=tolerance)


def test_radcliq_is_linear_so_that_its_mean_is_that_of_the_mean_components():
    points = np.random.default_rng(0).normal(size=(50, 4))
    for version in ("v0", "v1"):
        mean = np.mean([radcliq(Components(*point), version) for point in points])
        assert mean == pytest.approx(radcliq(Components(*points.mean(axis=0)), version), abs=1e-12)


def test_the_inverse_is_of_the_mean_and_is_refused_near_zero_and_below():
    perfect = V["radcliq"]["unit"][0]
    assert 1 / perfect["v1"] == pytest.approx(perfect["inv_v1"], abs=1e-6)  # negative: what must not be printed
    for mean, interval in ((perfect["v1"], None), (0.3, (0.1, 0.5)), (0.3, (-0.2, 0.8)), (0.05, None)):
        with pytest.raises(InputError, match="1/RadCliQ"):
            inverse_of_mean(mean, interval)
        assert "no compatibility column" in inverse_remark(mean, interval)
    assert inverse_of_mean(0.8, (0.7, 0.9)) == 1.25
    assert "1.2500" in inverse_remark(0.8, (0.7, 0.9))


def test_radgraph_levels():
    case = V["radgraph_f1"]["synthetic_no_model"]
    for level in ("simple", "partial", "complete"):
        assert radgraph_f1(case["hyp"], case["ref"], level) == pytest.approx(case[level], abs=1e-12)
        assert radgraph_f1(case["ref"], case["hyp"], level) == pytest.approx(case[level], abs=1e-12)
    form = case["radcliq_variant_case_sensitive"]
    assert radcliq_overlap(case["hyp"], case["ref"]) == pytest.approx(form["combined"], abs=1e-12)
    assert form["combined"] == pytest.approx((form["entity_f1"] + form["relation_f1"]) / 2)


def test_radgraph_without_entities_is_zero_even_on_both_sides():
    empty = {"entities": {}}
    got = [radgraph_f1(empty, empty, level) for level in ("simple", "partial", "complete")]
    assert got == V["radgraph_f1"]["empty_empty"]


def test_radgraph_ignores_duplicates_order_and_dangling_relations():
    case = V["radgraph_f1"]["synthetic_no_model"]["hyp"]
    turned = {"entities": dict(reversed(case["entities"].items()))}
    twice = {"entities": {**case["entities"], "9": case["entities"]["2"]}}
    for level in ("simple", "partial", "complete"):
        assert radgraph_f1(case, turned, level) == radgraph_f1(case, twice, level) == 1.0
    dangling = {"entities": {"1": {"tokens": "x", "label": "OBS-DP", "relations": [["modify", "7"]]}}}
    assert radgraph_f1(dangling, dangling, "complete") == 0.0
    assert radcliq_overlap(dangling, dangling) == 0.5


def test_published_radgraph_means_are_those_of_their_pairs():
    case = V["radgraph_f1"]["six_pairs_radgraph1.0"]
    means = [np.mean(case["per_pair"][level]) for level in ("simple", "partial", "complete")]
    assert means == pytest.approx(case["mean"], abs=1e-12)


def labels(*present: str, uncertain: tuple[str, ...] = ()) -> list[int]:
    return [1 if name in present else 3 if name in uncertain else 0 for name in FINDINGS]


# Labels that give the published per-finding counts of the five pairs.
GOLD = [
    labels(),
    labels("Cardiomegaly"),
    labels("Cardiomegaly"),
    labels("Consolidation"),
    labels("Lung Opacity", "No Finding", uncertain=("Lung Lesion",)),
]
GIVEN = [labels("No Finding"), labels(), labels("Edema", "Atelectasis"), labels("Consolidation"), labels("No Finding")]


def test_chexbert_of_the_published_five_pairs():
    published = V["cxr_f1chexbert_radeval_test"]
    for findings, count in ((FINDINGS, 14), (TOP5, 5)):
        parts = [sums(a, b, findings=findings, uncertain="positive") for a, b in zip(GIVEN, GOLD, strict=True)]
        counts = list(by_class(total(parts)).values())
        assert macro_f1(counts) == pytest.approx(published[f"macro{count}"], abs=1e-12)
        assert micro_f1(counts) == pytest.approx(published[f"micro{count}"], abs=1e-12)
    weighted = by_class(
        total(sums(a, b, findings=FINDINGS, uncertain="positive") for a, b in zip(GIVEN, GOLD, strict=True))
    )
    support = sum(c.gold for c in weighted.values())
    assert sum(c.f1 * c.gold for c in weighted.values()) / support == pytest.approx(published["weighted14"], abs=1e-12)
    exact = [
        positives(a, uncertain="positive") & set(TOP5) == positives(b, uncertain="positive") & set(TOP5)
        for a, b in zip(GIVEN, GOLD, strict=True)
    ]
    assert np.mean(exact) == published["accuracy5"]


def test_uncertain_counts_as_declared_and_wrong_labels_are_refused():
    row = labels("Edema", uncertain=("Fracture",))
    assert positives(row, uncertain="positive") == {"Edema", "Fracture"}
    assert positives(row, uncertain="negative") == {"Edema"}
    for wrong in (row[:5], [7] * 14):
        with pytest.raises(InputError, match="no CheXbert labels"):
            positives(wrong, uncertain="positive")


@pytest.mark.parametrize("case", V["green_parser"]["cases"])
def test_green_from_counts(case):
    assert green(Analysis(tuple(case["sig"]), case["matched"])) == pytest.approx(case["score"], abs=1e-12)


def test_green_mean_of_the_published_five():
    published = V["green_parser"]["radeval_5_pairs"]
    assert np.mean(published["scores"]) == published["mean"]
    assert np.std(published["scores"]) == pytest.approx(published["pstd"])


ANALYSIS = """[Explanation]:
Words.

[Clinically Significant Errors]:
(a) False report of a finding in the candidate: 2. One; two
(b) Missing a finding present in the reference: 1. Three
(c) Misidentification of a finding's anatomic location/position: 2. Four; five

[Clinically Insignificant Errors]:
(a) False report of a finding in the candidate: 9. Not counted

[Matched Findings]:
1. Heart size
"""


def test_green_reads_an_analysis_and_only_that():
    analysis = read_analysis(ANALYSIS)
    assert analysis == Analysis((2, 1, 2, 0, 0, 0), 1)
    assert green(analysis) == pytest.approx(V["green_parser"]["radeval_5_pairs"]["scores"][1])
    turned = ANALYSIS.replace("(a) False", "(z) False", 1).replace("(c) Mis", "(a) Mis", 1)
    assert read_analysis(turned).errors == (2, 1, 0, 0, 0, 0)
    numbered = ANALYSIS.replace("(a)", "(1)").replace("(b)", "(2)").replace("(c)", "(3)")
    assert read_analysis(numbered) == analysis
    nothing = "[Clinically Significant Errors]:\nNo errors.\n\n[Matched Findings]:\nNo findings."
    assert read_analysis(nothing) == Analysis((0,) * 6, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot say.",
        "[Clinically Significant Errors]:\nNo",
        "[Matched Findings]:\n2. x",
        ANALYSIS.split("\n1.")[0],
    ],
)
def test_green_that_cannot_be_read_is_no_score(text):
    assert read_analysis(text) is None


def entities(types, vectors) -> Entities:
    return Entities(tuple(types), np.asarray(vectors, dtype=np.float32))


@pytest.mark.parametrize("form", ["long", "short"])
def test_ratescore_of_published_numbers(form):
    v = V["ratescore_no_model"]
    box = v["three_v_two_input"]
    gold, given = entities(box["gt_types"], box["gt_emb"]), entities(box["pred_types"], box["pred_emb"])
    got = (direction(gold, given, form), direction(given, gold, form), ratescore(given, gold, form))
    assert got == pytest.approx(v[form]["three_v_two"], abs=1e-6)
    one, negated = entities(["ABNORMALITY"], [[1, 0]]), entities(["NON-ABNORMALITY"], [[1, 0]])
    assert ratescore(one, negated, form) == pytest.approx(v[form]["single_negated_pair"], abs=1e-9)
    assert ratescore(one, one, form) == pytest.approx(v["long"]["single_same"], abs=1e-9)


def test_ratescore_without_entities_and_of_opposites_is_as_published():
    one, none = entities(["DISEASE"], [[1, 0]]), entities([], np.zeros((0, 2)))
    published = V["ratescore_no_model"]["either_side_no_entities"]
    assert ratescore(one, none, "long") == ratescore(none, one, "long") == ratescore(none, none, "long") == published
    assert ratescore(one, entities(["DISEASE"], [[0, 1]]), "long") == 0.0

from osler.datasets.dataset import Skip
from osler.datasets.report_tasks import findings_sample, impression_sample
from osler.datasets.reports import parse_report
from osler.datasets.studies import Study, View

REPORT = parse_report("INDICATION: Cough.\nFINDINGS: Clear lungs.\nIMPRESSION: Normal.")
NOW = Study("2", (View("n.jpg", "PA"), View("m.jpg", "lateral")), 2)
PAST = Study("1", (View("p.jpg", "AP"),), 1)


def test_findings_are_asked_for_with_the_indication_and_never_told():
    one = findings_sample(REPORT, PAST)
    assert one.question == "Image 1: AP view.\nIndication: Cough.\nDescribe the findings on this chest radiograph."
    assert one.answer.text == "Clear lungs." and one.task == "findings" and one.tags == ("task:findings", "single_view")
    both = findings_sample(REPORT, NOW, PAST)
    assert [ref.path for ref in both.media] == ["n.jpg", "m.jpg", "p.jpg"]
    assert both.tags == ("task:findings", "multi_view", "longitudinal") and "say what has changed" in both.question
    assert not any("Clear" in sample.question or "Normal" in sample.question for sample in (one, both))


def test_the_prior_findings_are_given_only_where_declared():
    prior = parse_report("FINDINGS: A small effusion.")
    assert "effusion" not in findings_sample(REPORT, NOW, PAST).question
    given = findings_sample(REPORT, NOW, PAST, prior_report=prior)
    assert "\nFindings of the prior study: A small effusion.\n" in given.question
    assert "prior study:" not in findings_sample(REPORT, NOW, PAST, prior_report=parse_report("")).question


def test_an_impression_is_asked_for_from_the_findings_alone():
    sample = impression_sample(REPORT)
    assert not sample.media and sample.answer.text == "Normal." and sample.modality == "text"
    assert sample.question.startswith("Indication: Cough.\nFindings: Clear lungs.\n")
    assert impression_sample(parse_report("IMPRESSION: Normal.")) == Skip(
        "the report has an impression but no findings"
    )


def test_where_the_findings_come_from_is_a_tag():
    sample = findings_sample(parse_report("FINDINGS AND IMPRESSION: Clear."), PAST)
    assert sample.tags[-1] == "findings_from:findings_impression" and "Indication" not in sample.question

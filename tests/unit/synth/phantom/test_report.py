import pytest

from osler.core.rng import generator
from osler.synth.phantom.report import caption, checklist, phrases, report
from osler.synth.phantom.truth import FINDINGS, Finding, Study
from osler.synth.phantom.wording import NAMES


def study(*findings, ctr=0.43):
    return Study("p000001-1", "p000001", 1, 0, "F", 50, "PA", ctr, findings)


EVERYTHING = study(
    Finding("device", "left", grade="central line"),
    Finding("effusion", "left", grade="moderate"),
    Finding("pneumothorax", "right", grade="moderate"),
    Finding("consolidation", "right", "middle", grade="moderate"),
    Finding("nodule", "left", "middle"),
    Finding("cardiomegaly", grade="enlarged", size=0.58),
    ctr=0.58,
)


def test_the_fullest_film_stays_within_the_words():
    for number in range(20):
        assert len(caption(generator(number), EVERYTHING).split()) <= 25
        assert len(report(generator(number), EVERYTHING).split()) <= 50


def test_the_checklist_names_every_finding_once():
    assert checklist(study()) == f"{' no, '.join(FINDINGS)} no."
    assert "yes" in checklist(EVERYTHING) and "no," not in checklist(EVERYTHING)
    effusion = study(Finding("effusion", "left", grade="moderate"))
    assert checklist(effusion).split(", ") == [
        f"{kind} {'yes' if kind == 'effusion' else 'no'}{'.' if kind == FINDINGS[-1] else ''}" for kind in FINDINGS
    ]


def test_phrases_name_size_side_zone_and_number():
    assert phrases(EVERYTHING) == [
        "one left middle zone nodule",
        "moderate left effusion",
        "moderate right pneumothorax",
        "moderate right middle zone consolidation",
        "enlarged heart",
        "left central line",
    ]
    nodules = [Finding("nodule", side, "upper") for side in ("left", "right", "left")]
    assert phrases(study(*nodules)) == ["three nodules"]
    assert phrases(study(nodules[0], nodules[2])) == ["two left nodules"]
    assert phrases(study(Finding("device", grade="breathing tube"))) == ["breathing tube"]


def test_a_caption_puts_articles_where_they_belong():
    texts = {caption(generator(n), study(Finding("cardiomegaly", grade="enlarged", size=0.6))) for n in range(20)}
    assert texts == {"PA chest film: enlarged heart.", "PA chest film with an enlarged heart."}


def test_a_normal_film_is_said_to_be_normal():
    for number in range(10):
        text = report(generator(number), study())
        assert text.endswith(("Impression: Normal chest film.", "Impression: No abnormal finding."))
        assert "ormal" in caption(generator(number), study())


@pytest.mark.parametrize("kind", FINDINGS)
def test_reports_deny_only_what_is_absent(histories, kind):
    for one in (one for history in histories[:150] for one in history):
        text = report(generator(0, one.id), one)
        findings, _, impression = text.partition(" Impression: ")
        denied = [f"No {name.bare}." for name in NAMES[kind]]
        assert not (one.has(kind) and any(words in findings for words in denied))
        words = one.of(kind)[0].grade if kind == "device" and one.has(kind) else kind
        assert one.has(kind) == (words in impression.lower()) or kind == "device"

import pytest

from osler.datasets.reports import has_words, parse_report

USUAL = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___-year-old with a cough and
 a fever  // pneumonia?

 TECHNIQUE:  Two views.

 COMPARISON:  Chest radiograph ___.

 FINDINGS:

 The heart is of normal size.  LUNGS: clear. There is
 no effusion.

 IMPRESSION:

 1. No pneumonia.
 2. Unchanged since ___.
"""


def test_sections_are_told_apart_and_their_lines_joined():
    report = parse_report(USUAL)
    assert report.sections == {
        "start": "",
        "examination": "CHEST (PA AND LAT)",
        "indication": "___-year-old with a cough and a fever // pneumonia?",
        "technique": "Two views.",
        "comparison": "Chest radiograph ___.",
        "findings": "The heart is of normal size. LUNGS: clear. There is no effusion.",
        "impression": "1. No pneumonia. 2. Unchanged since ___.",
    }
    assert report.indication.startswith("___-year-old") and not report.why_no_findings and not report.why_no_impression


def test_headings_in_small_letters_and_in_one_line_are_headings():
    small = parse_report("indication: pain\nFindings: Clear lungs.\nimpression : Normal.")
    assert (small.indication, small.findings, small.impression) == ("pain", "Clear lungs.", "Normal.")
    flat = parse_report("FINAL REPORT HISTORY: Pain. COMPARISON: None. FINDINGS: Clear lungs. IMPRESSION: Normal.")
    assert (flat.indication, flat.findings, flat.impression) == ("Pain.", "Clear lungs.", "Normal.")
    alone = parse_report("FINDINGS\nClear lungs.\nIMPRESSION\nNormal.\n")
    assert (alone.findings, alone.impression) == ("Clear lungs.", "Normal.")


def test_a_word_within_a_sentence_is_no_heading():
    report = parse_report("FINDINGS: The findings: as before. These findings are new. No history of note.\n")
    assert report.findings == "The findings: as before. These findings are new. No history of note."


@pytest.mark.parametrize(
    ("text", "why_no_findings", "why_no_impression"),
    [
        ("IMPRESSION: Normal.", *["the report has an impression but no findings"] * 2),
        ("FINDINGS: Clear.", "", "the report has findings but no impression"),
        ("FINDINGS: ___.\nIMPRESSION: Normal.", *["the findings of the report are empty"] * 2),
        ("FINDINGS: Clear.\nIMPRESSION:\n", "", "the impression of the report is empty"),
        ("FINDINGS AND IMPRESSION: Clear.", "", "the report has findings and impression in one section"),
        ("FINDINGS/IMPRESSION:\nClear.", "", "the report has findings and impression in one section"),
        ("The lungs are clear.", *["the report has neither findings nor impression"] * 2),
        ("FINDINGS:\nIMPRESSION: ___", *["the report has neither findings nor impression"] * 2),
        ("", *["the report has neither findings nor impression"] * 2),
    ],
)
def test_a_report_that_is_no_target_says_why(text, why_no_findings, why_no_impression):
    report = parse_report(text)
    assert (report.why_no_findings, report.why_no_impression) == (why_no_findings, why_no_impression)


def test_one_section_for_both_serves_as_findings():
    report = parse_report("IMPRESSION AND FINDINGS: Clear lungs.\n")
    assert report.findings == "Clear lungs." and report.findings_from == "findings_impression" and not report.impression


def test_words_below_a_heading_of_views_are_findings_where_there_are_no_others():
    report = parse_report(
        "HISTORY: Pain.\n\nPA AND LATERAL VIEWS OF THE CHEST:  The lungs are clear.\n\nIMPRESSION: Ok."
    )
    assert (report.findings, report.findings_from, report.impression) == ("The lungs are clear.", "views", "Ok.")
    both = parse_report("FINDINGS:\nPORTABLE AP CHEST RADIOGRAPH: Clear.\nLATERAL VIEW: Clear too.\nIMPRESSION: Ok.")
    assert both.findings == "PORTABLE AP CHEST RADIOGRAPH: Clear. LATERAL VIEW: Clear too."


def test_two_sections_of_one_name_are_joined():
    report = parse_report("FINDINGS: Clear lungs.\nIMPRESSION: Normal.\nFINDINGS: A tube.\nCONCLUSION: In place.")
    assert (report.findings, report.impression) == ("Clear lungs. A tube.", "Normal. In place.")


def test_an_addendum_and_a_first_read_are_kept_apart():
    rule = "_" * 60
    before = parse_report(f" FINAL ADDENDUM\n ADDENDUM  IMPRESSION: Wrong.\n{rule}\n FINAL REPORT\n FINDINGS: Clear.\n")
    assert before.findings == "Clear." and before.sections["addendum"] == "ADDENDUM IMPRESSION: Wrong."
    assert not before.impression
    behind = parse_report("FINDINGS: Clear.\nIMPRESSION: Normal.\nADDENDUM: Told at 3 pm.\nIMPRESSION: A nodule.")
    assert behind.impression == "Normal." and behind.sections["addendum"] == "Told at 3 pm. IMPRESSION: A nodule."
    first = parse_report("WET READ: ___ 8 pm\n Effusion.\nFINDINGS: No effusion.\nIMPRESSION: Normal.")
    assert first.findings == "No effusion." and first.sections["preliminary"] == "___ 8 pm Effusion."


def test_words_taken_out_are_no_words():
    assert not has_words("XXXX XXXX.") and not has_words("___ . 1.") and has_words("XXXX clear")

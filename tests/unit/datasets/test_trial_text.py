import pytest

from osler.datasets.trial_text import clean_criteria, numbered_note, sentences


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("A 45 y.o. Caucasian man. He fell.", ["A 45 y.o. Caucasian man.", "He fell."]),
        ("Pain s/p. Foley catheter. BMI 22.5 today.", ["Pain s/p. Foley catheter.", "BMI 22.5 today."]),
        ("Seen by Dr. Gray vs. Dr. Brown. Stable!", ["Seen by Dr. Gray vs. Dr. Brown.", "Stable!"]),
        ("Vanco p.o. Flagyl i.v. He improved.", ["Vanco p.o. Flagyl i.v.", "He improved."]),
        ("Admitted at 7 a.m. She slept.", ["Admitted at 7 a.m.", "She slept."]),
        ("Has hepatitis C. He drinks. Was it safe? Yes.", ["Has hepatitis C.", "He drinks.", "Was it safe?", "Yes."]),
        (
            "Seen by John J. Smith. No. 3 nodule. No. He went.",
            ["Seen by John J. Smith.", "No. 3 nodule.", "No.", "He went."],
        ),
        ("1. Atrial fib. 2 stents.", ["1. Atrial fib.", "2 stents."]),
        ('She said "no." Then (at 39.2 C) "yes."', ['She said "no."', 'Then (at 39.2 C) "yes."']),
        (
            "with leukocytosis [**8-26**]. 60 days later, fever",
            ["with leukocytosis [**8-26**].", "60 days later, fever"],
        ),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, cut):
    assert sentences(text) == cut


def test_short_lines_are_sentences_and_broken_ones_are_joined():
    long = "A line that was broken because it had reached its full width of"
    text = f"Past Medical History:\nHTN\nRecent admission: bleeding\ngastritis\n\n{long}\nSixty letters."
    assert sentences(text) == [
        "Past Medical History:",
        "HTN",
        "Recent admission: bleeding gastritis",
        f"{long} Sixty letters.",
    ]


def test_no_word_of_a_note_is_lost():
    text = "A 3.5 y.o. boy; T 39.2. Dr. X. said (e.g. now)!  He\ncame. 2. Rash"
    assert "".join(" ".join(sentences(text)).split()) == "".join(text.split())


def test_sentences_are_counted_from_0():
    assert numbered_note("It hurts. It swells.") == "0. It hurts.\n1. It swells."
    assert numbered_note(" ") == ""


def test_registry_text_is_taken_apart():
    text = """
        Inclusion Criteria:

          -  Diagnosis of suprasacral
             injury

          2. Age \\>18 years &amp; able to

             read

        Key exclusion criteria

        Based on visit:

          *  Pregnancy

          -

          -  None
    """
    found = clean_criteria(text)
    assert found.inclusion == ("Diagnosis of suprasacral injury", "Age >18 years & able to", "read")
    assert found.exclusion == ("Based on visit:", "Pregnancy")
    assert found.general == ()
    assert (
        found.shown().startswith("Inclusion criteria:\n- Diagnosis")
        and "\n\nExclusion criteria:\n- Based" in found.shown()
    )


def test_words_about_criteria_are_no_heading():
    wrapped = "- Patients meeting any of the following exclusion criteria are not to be enrolled in the\n  study"
    found = clean_criteria(f"Inclusion Criteria:\n\n{wrapped}\n\n- Further inclusion criteria apply.\n")
    assert len(found.inclusion) == 2 and not found.exclusion


def test_a_heading_that_says_more_is_kept_as_a_line():
    found = clean_criteria("Step 1 exclusion criteria for Cohort 2 only\n\n- HIV\n")
    assert found.exclusion == ("Step 1 exclusion criteria for Cohort 2 only:", "HIV")


def test_headings_and_numbers_inside_a_line_are_found():
    found = clean_criteria("INCLUSION CRITERIA 1. Consent given. 2. Age 12 years. EXCLUSION CRITERIA 1. Asthma 2. COPD")
    assert found.inclusion == ("Consent given.", "Age 12 years.") and found.exclusion == ("Asthma", "COPD")


def test_criteria_without_a_heading_stay_general_or_in_the_given_section():
    assert clean_criteria("DISEASE: lymphoma").general == ("DISEASE: lymphoma",)
    assert clean_criteria("HIV\n\nAsthma", "exclusion").exclusion == ("HIV", "Asthma")


@pytest.mark.parametrize("text", ["", " \n\n", "Inclusion Criteria:\n\nExclusion criteria: None", "N/A", "- \n - n/a."])
def test_nothing_is_no_criteria(text):
    assert not clean_criteria(text) and clean_criteria(text).shown() == ""

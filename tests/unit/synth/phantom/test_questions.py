from collections import Counter, defaultdict

import pytest

from osler.synth.phantom.ceiling import Question, text_ceilings
from osler.synth.phantom.reasoning import trace
from osler.synth.phantom.truth import FINDINGS
from osler.synth.phantom.wording import AFFIRMATIVE, NAMES, NEGATED, place

LIMITS = {"phantom_closed": 0.6, "phantom_side": 0.6, "phantom_count": 0.35, "phantom_choice": 0.4}


def of_task(asked, *tasks):
    return [(study, item) for study, item in asked if item.task in tasks]


def is_negated(text, kind):
    forms = {t.format(article=n.article, bare=n.bare) for t in NEGATED for n in NAMES[kind]}
    plain = {t.format(article=n.article, bare=n.bare) for t in AFFIRMATIVE for n in NAMES[kind]}
    assert (text in forms) != (text in plain)
    return text in forms


def test_a_film_is_asked_about_a_dozen_times(asked):
    per_film = Counter(study.id for study, _ in asked)
    assert 10 <= sum(per_film.values()) / len(per_film) <= 14


def test_closed_answers_are_true_and_negation_turns_them(asked):
    seen = Counter()
    for study, item in of_task(asked, "phantom_closed"):
        (kind,) = item.kinds
        negated = is_negated(item.text, kind)
        seen[negated] += 1
        assert item.answer.text == ("yes" if study.has(kind) != negated else "no")
    assert 0.09 < seen[True] / seen.total() < 0.15


def test_side_questions_are_asked_where_there_is_one_side(asked):
    for study, item in of_task(asked, "phantom_side"):
        assert item.answer.text == study.side(item.kinds[0]) != ""
        assert ("nodules" in item.text) == (item.kinds == ("nodule",) and study.num_nodules > 1)


def test_counts_are_true_and_even(asked):
    counts = Counter()
    for study, item in of_task(asked, "phantom_count"):
        assert item.answer.text == str(study.num_nodules)
        counts[item.answer.text] += 1
    assert sorted(counts) == ["0", "1", "2", "3", "4"]
    assert all(0.13 < count / counts.total() < 0.27 for count in counts.values())


def test_exactly_one_option_of_a_choice_is_true(asked):
    letters = Counter()
    for study, item in of_task(asked, "phantom_choice"):
        answer = item.answer
        letters[answer.letter] += 1
        assert item.reasoning == f"Seen: {answer.text} {answer.letter}."
        assert item.text.splitlines()[1:] == [f"{a}. {o}" for a, o in zip("ABCD", answer.options, strict=True)]
        if answer.text in FINDINGS:
            assert [option for option in answer.options if study.has(option)] == [answer.text]
        else:
            (finding,) = study.of(item.kinds[0])
            assert answer.text == place(finding)
    assert all(0.2 < letters[letter] / letters.total() < 0.3 for letter in "ABCD")


def test_the_ratio_is_asked_with_a_tolerance(asked):
    items = of_task(asked, "phantom_measure")
    assert items
    for study, item in items:
        assert item.answer.kind == "number" and item.answer.tolerance == 0.05
        assert float(item.answer.text) == pytest.approx(study.ctr, abs=0.0051)


def test_open_answers_are_true(asked):
    for study, item in of_task(asked, "phantom_open"):
        (kind,) = item.kinds
        (finding,) = study.of(kind)
        assert item.answer.text in {place(finding), finding.grade}


def test_reasons_lead_to_the_answer(asked):
    for study, item in of_task(asked, "phantom_reason"):
        (kind,) = item.kinds
        assert item.reasoning.startswith("Evidence: ") and " Knowledge: " in item.reasoning
        conclusion = item.reasoning.partition(" Conclusion: ")[2]
        assert conclusion.endswith("is present." if study.has(kind) else "is absent.")
        assert len(item.reasoning.split()) <= 45


@pytest.mark.parametrize("kind", FINDINGS)
def test_evidence_differs_between_present_and_absent(histories, kind):
    texts = {True: set(), False: set()}
    for study in (study for history in histories for study in history):
        texts[study.has(kind)].add(trace(study, kind, ""))
    assert texts[True] and texts[False] and not texts[True] & texts[False]


def test_questions_and_answers_are_short(asked, compared):
    for item in [item for _, item in asked] + [item for *_, item in compared]:
        assert len(item.text.partition("\n")[0].split()) <= 14
    longest = defaultdict(int)
    for _, item in asked:
        longest[item.task] = max(longest[item.task], len(item.answer.text.split()))
    assert longest["phantom_caption"] <= 25 and longest["phantom_report"] <= 50
    assert longest["phantom_closed"] == longest["phantom_side"] == longest["phantom_count"] == 1


def test_comparisons_are_true_and_even(compared):
    answers = defaultdict(Counter)
    for prior, current, item in compared:
        (kind,) = item.kinds
        before, after = prior.of(kind), current.of(kind)
        if before and after:
            steps = {"larger": 1, "smaller": -1, "unchanged": 0}
            step = (after[0].size > before[0].size) - (after[0].size < before[0].size)
            assert steps[item.answer.text] == step
        else:
            assert item.answer.text == ("new" if after else "resolved")
        answers[item.answer.labels][item.answer.text] += 1
    assert len(answers) == 2
    for counts in answers.values():
        assert all(0.24 < count / counts.total() < 0.43 for count in counts.values())


def test_unchanged_things_keep_their_size_and_others_change_visibly(compared):
    for prior, current, item in compared:
        before, after = prior.of(item.kinds[0]), current.of(item.kinds[0])
        if before and after:
            ratio = after[0].size / before[0].size
            assert ratio == 1 if item.answer.text == "unchanged" else not 0.85 < ratio < 1.18


def test_words_alone_say_little(asked):
    parts = {True: [], False: []}
    for study, item in asked:
        words = item.text.partition("\n")[0]
        answer = item.answer
        question = Question(item.task, words, answer.kind, answer.text, answer.options, answer.tolerance)
        parts[int(study.patient_id[1:]) % 2 == 0].append(question)
    found = text_ceilings(parts[True], parts[False])
    for task, limit in LIMITS.items():
        assert found[task]["n"] > 200
        assert found[task]["question_prior"] <= limit, task
        assert found[task]["majority"] <= limit, task

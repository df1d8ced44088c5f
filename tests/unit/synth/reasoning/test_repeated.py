import numpy as np

from osler.curate.duplicates.words import jaccard, shingles
from osler.curate.duplicates.words import words as tokens
from osler.synth.reasoning.case import Question
from osler.synth.reasoning.repeated import repeated_questions
from reasoning_world import words


def question(*names, change=None):
    stem = words(30, "stem", *names).split()
    if change is not None:
        stem[change] = "other"
    return Question(stem=" ".join(stem), options=tuple(words(2, "o", *names, n) for n in range(4)), answer="x")


def test_nearly_the_same_question_is_found_and_the_first_one_stays():
    near = question(7, change=3)
    given = [("a", question(1)), ("b", question(7)), ("c", near), ("d", question(2)), ("e", question(7))]
    found = list(repeated_questions(given))
    assert [(each.id, each.matched_id) for each in found] == [("c", "b"), ("e", "b")]
    assert found[1].score == 1.0 and 0.7 <= found[0].score < 1


def test_the_order_of_options_hides_no_repeat_and_other_options_are_another_question():
    first = question(1)
    turned = first.model_copy(update={"options": first.options[::-1]})
    other = first.model_copy(update={"stem": "What is seen?", "options": question(2).options})
    short = first.model_copy(update={"stem": "What is seen?"})
    given = [("a", first), ("b", turned), ("c", other), ("d", short)]
    assert [each.id for each in repeated_questions(given)] == ["b"]


def test_no_repeat_is_missed_that_comparing_all_pairs_finds():
    rng = np.random.default_rng(0)
    given = []
    for number in range(120):
        base = words(24, "base", int(rng.integers(25))).split()
        for place in rng.integers(24, size=int(rng.integers(4))):
            base[place] = f"new{rng.integers(1000)}"
        given.append((f"q{number}", Question(stem=" ".join(base), options=("one", "two"), answer="one")))
    kept, slow = [], []
    for id, each in given:
        runs = shingles(tokens(" ".join([each.stem, *sorted(each.options)])))
        if any(jaccard(runs, other) >= 0.7 for other in kept):
            slow.append(id)
        else:
            kept.append(runs)
    assert [each.id for each in repeated_questions(given)] == slow and len(slow) > 20

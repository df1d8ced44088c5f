"""What only the whole set decides: repeated questions, letters, splits by article."""

from collections import Counter

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.store.reader import Store
from osler.synth.reasoning.case import Question, figure_of, question_id
from osler.synth.reasoning.letters import balanced_letters, ordered_options
from osler.synth.reasoning.repeated import repeated_questions
from osler.synth.reasoning.source import article_splits, plan_pieces
from reasoning_world import curated, draw_articles, words


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
    from osler.curate.duplicates.words import jaccard, shingles
    from osler.curate.duplicates.words import words as tokens

    kept, slow = [], []
    for id, each in given:
        runs = shingles(tokens(" ".join([each.stem, *sorted(each.options)])))
        if any(jaccard(runs, other) >= 0.7 for other in kept):
            slow.append(id)
        else:
            kept.append(runs)
    assert [each.id for each in repeated_questions(given)] == slow and len(slow) > 20


def test_letters_differ_by_one_at_most_within_each_split_and_number_of_options():
    kinds = [("train", 4)] * 41 + [("test", 4)] * 7 + [("train", 5)] * 11
    letters = balanced_letters(kinds, seed=3)
    for kind, names in ((("train", 4), "ABCD"), (("test", 4), "ABCD"), (("train", 5), "ABCDE")):
        counts = Counter(letter for letter, each in zip(letters, kinds, strict=True) if each == kind)
        assert max(counts[name] for name in names) - min(counts[name] for name in names) <= 1
    assert letters == balanced_letters(kinds, seed=3) != balanced_letters(kinds, seed=4)
    assert letters[:8] != ["A", "B", "C", "D"] * 2


def test_options_are_put_in_order_around_the_right_one():
    asked = Question(stem="s", options=("w", "x", "y", "z"), answer="y")
    for number, letter in enumerate("ABCD"):
        order = ordered_options(asked, letter, seed=1, id="a")
        assert order[number] == "y" and sorted(order) == ["w", "x", "y", "z"]
    others = {tuple(o for o in ordered_options(asked, "A", seed=1, id=f"{n}")[1:]) for n in range(40)}
    assert len(others) == 6


def test_a_figure_is_found_in_its_questions_id():
    assert figure_of(question_id("a/train/f1#panel-b", "drug")) == "a/train/f1#panel-b"
    assert figure_of("a/train/f1#panel-b") == ""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("articles")
    draw_articles(root / "a", num_articles=8, num_figures=2, licensed=lambda n: True)
    # One picture of the sixth article is one of the second's, too.
    shared = (root / "a" / "PMC1" / "f0.png").read_bytes()
    (root / "a" / "PMC5" / "f1.png").write_bytes(shared)
    return root, curated(root / "a", root / "store")


def test_splits_follow_articles_and_articles_that_share_an_image_stay_together(folders):
    _, folder = folders
    shares = {"train": 0.5, "validation": 0.0, "test": 0.5}
    splits = article_splits([Store(folder)], ["train"], shares)
    assert len(splits) == 8 and set(splits.values()) == {"train", "test"}
    assert splits["jats_articles/PMC1"] == splits["jats_articles/PMC5"]
    lone = dict.fromkeys(splits, "train")
    assert article_splits([Store(folder)], ["train"], {"train": 1.0, "validation": 0.0, "test": 0.0}) == lone


def test_pieces_hold_every_record_once(folders):
    _, folder = folders
    pieces = plan_pieces([Store(folder)], ["train"], piece_figures=3)
    rows = [row for piece in pieces for row in piece.rows]
    assert [piece.number for piece in pieces] == list(range(len(pieces))) and len(rows) == len(set(rows)) == 16
    assert all(len(piece.rows) <= 3 for piece in pieces)


def test_two_stores_with_the_same_figure_and_a_split_that_is_not_there_are_refused(folders):
    _, folder = folders
    with pytest.raises(InputError, match="both hold the sample .*Curate the articles into one store"):
        plan_pieces([Store(folder), Store(folder)], ["train"], piece_figures=3)
    with pytest.raises(InputError, match="no store has a split test; expected some of train"):
        plan_pieces([Store(folder)], ["test"], piece_figures=3)

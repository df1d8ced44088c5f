from collections import Counter

from osler.synth.reasoning.case import Question
from osler.synth.reasoning.letters import balanced_letters, ordered_options


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

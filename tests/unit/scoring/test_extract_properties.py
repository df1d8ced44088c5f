"""What holds of reading an answer whatever the words: order of options, length, marks, and never a guess."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from osler.schema.sample import LETTERS, Answer, choice, closed, number, open_answer, passage
from osler.scoring.channels import split_channels
from osler.scoring.extract import extract, read_reply
from osler.scoring.normalise import normalise

GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa")
TEN = tuple(f"finding {word}" for word in GREEK)
KINDS = {
    "choice": choice(TEN[0], TEN),
    "closed": closed("yes"),
    "number": number(3),
    "open": open_answer("lung"),
    "text": passage("lung"),
}
DECLARED = ("{0}", "({0})", "Answer: {0}", "The answer is **{0}**.", "\\boxed{{{0}}}", "Option {0}", "{0}. {1}", "{1}")
WORDS = st.text(st.sampled_from("ABCDEJabyesno ().:*\n<>|/\u00e9\u2019"), max_size=60)


@given(st.permutations(TEN), st.sampled_from(range(10)), st.sampled_from(DECLARED))
def test_a_declared_option_is_found_wherever_it_stands(options, position, form):
    """The letter follows the option: the words meant are the same under every order."""
    answer = choice(TEN[0], tuple(options))
    reply = form.format(LETTERS[position], options[position])
    assert read_reply(reply, answer).parsed == LETTERS[position]


@given(st.permutations(TEN), WORDS)
def test_words_without_a_letter_mean_the_same_option_under_every_order(options, words):
    said = "".join(mark for mark in words if mark not in LETTERS + LETTERS.lower())
    for reply in (said, TEN[3], f"  {TEN[3].upper()}. "):
        before = extract(reply, choice(TEN[0], TEN))
        after = extract(reply, choice(TEN[0], tuple(options)))
        assert (before and TEN[LETTERS.index(before)]) == (after and options[LETTERS.index(after)])


@given(WORDS, st.sampled_from(list(KINDS)))
@example("", "choice")
@example("<|channel|>", "closed")
def test_a_status_always_says_whether_there_is_an_answer(words, kind):
    found = read_reply(words, KINDS[kind])
    assert found.status in {"ok", "unparsed", "refused", "truncated"}
    assert (found.status == "ok") == (found.parsed is not None)
    if found.parsed is not None and kind == "choice":
        assert found.parsed in LETTERS
        assert found.parsed in words.upper() or normalise(found.final) in {normalise(option) for option in TEN}
    if found.parsed is not None and kind == "closed":
        assert found.parsed in words.casefold()


@given(WORDS, st.sampled_from(range(10)))
def test_which_option_is_right_changes_nothing(words, right):
    assert extract(words, choice(TEN[right], TEN)) == extract(words, choice(TEN[0], TEN))


@given(WORDS)
def test_what_is_thought_is_never_the_answer(words):
    thought = words.replace("<", "").replace("|", "").replace(">", "")
    for raw in (
        f"<think>{thought}</think>yes",
        f"<|channel|>analysis<|message|>{thought}<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>",
    ):
        assert read_reply(raw, closed("no")) == ("ok", "yes", "yes")
        assert split_channels(raw).analysis == thought.strip()


@pytest.mark.parametrize(
    "reply", ["not A", "Not (A).", "It is not A", "The answer is not A", "neither A nor B", "A or B"]
)
def test_a_negated_or_doubled_letter_is_no_answer(reply):
    assert read_reply(reply, KINDS["choice"]) == ("unparsed", None, reply)


@pytest.mark.parametrize("reply", ["\uff21", "\u0410", "\u0391", "\U0001d400", "\u24b6", "A\u0301"])
def test_letters_of_other_scripts_are_not_taken_for_ours(reply):
    """Wide, Cyrillic, Greek, mathematical, circled and accented A."""
    assert read_reply(reply, KINDS["choice"]).parsed is None


def test_options_in_any_script_are_read_by_their_words():
    options = ("\u80ba\u708e", "\u5fc3\u810f", "\u00c9panchement")
    assert extract("\u5fc3\u810f", choice(options[0], options)) == "B"
    assert extract("e\u0301panchement", choice(options[0], options)) == "C"


RUNS = [
    "A", " ", "\n", "*", "_ ", "$", "(", "(A) ", "A, ", "B. ", "not ", "answer ", "answer is ", "answer is *",
    "Answer: B ", "Option B. ", "Answer: B\n", "option ", "\\boxed{", "<think>", "</think>", "</s>", "<pad> ", "<|x|>",
    "<|channel|>a", "<|channel|>final<|message|>", "<|channel|>analysis<|message|>A<|end|>", "9", "1,234,", "1.", "-",
    "yes ", "yes, ", "no\n", "T2 ", "\ufdfa", "unable to ", "maybe ",
]  # fmt: skip


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("unit", RUNS, ids=repr)
def test_time_grows_as_the_answer_does(unit, kind):
    """100,000 characters of anything. What takes the square of the length would take minutes; this takes 0.1 s."""
    long = (unit * 100_000)[:100_000]
    started = time.process_time()
    for reply in (long, long + "x"):
        read_reply(reply, KINDS[kind])
    assert time.process_time() - started < 5.0


def test_a_long_answer_is_read_at_its_end():
    words = "The film shows a wide heart. " * 3500
    assert len(words) > 100_000
    assert read_reply(f"{words}\nAnswer: J", KINDS["choice"]).parsed == "J"
    assert read_reply(f"<think>{words}</think>{' ' * 100_000}yes", closed("no")).parsed == "yes"


def test_long_runs_of_marks_are_as_short_ones():
    answer: Answer = KINDS["choice"]
    for run in (" " * 30, "*" * 40, "\n" * 50, " \n" * 60):
        assert extract(f"Answer:{run}C", answer) == "C"
        assert extract(f"A.{run}{TEN[1]}", answer) is None

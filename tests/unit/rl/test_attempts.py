"""Attempts to be paid without seeing pay nothing under sound weights, and are found out under others."""

import pytest

from osler.core.errors import InputError
from osler.rl.attempts import ATTEMPTS, rows, try_attempts
from osler.rl.reward import Panel, Reward
from osler.schema.sample import Sample, choice, closed, image, user
from recorded import Recorded

SAMPLES = [
    Sample(id=str(n), turns=(user(image("a.png"), "Which?"),), answer=answer)
    for n, answer in enumerate([closed("yes"), closed("no"), choice("b", ("a", "b")), choice("a", ("a", "b"))])
]


def panel(**weights):
    return Panel(weights, Recorded({}))


def test_sound_weights_pay_no_attempt():
    payments = try_attempts(panel(answer_correct=1.0, format=0.2, length=0.1), SAMPLES, max_tokens=32)
    assert [payment.attempt for payment in payments] == list(ATTEMPTS)
    assert not any(payment.pays for payment in payments)
    assert {payment.true_answer for payment in payments} == {1.0}
    assert all(row["pays"] is False for row in rows(payments))


def test_a_reward_for_long_replies_is_found_out():
    chatty = panel(answer_correct=1.0, length=3.0)
    chatty.rewards["length"] = Reward(
        "length", "all", judge=lambda said, metrics: min(1.0, said.num_tokens / said.max_tokens)
    )
    paid = {payment.attempt for payment in try_attempts(chatty, SAMPLES, max_tokens=32) if payment.pays}
    assert paid == {"very_long"}


def test_rewards_that_see_no_answer_are_refused():
    with pytest.raises(InputError, match="for true answers and .* for guesses"):
        try_attempts(panel(format=1.0), SAMPLES, max_tokens=32)

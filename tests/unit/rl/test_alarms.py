"""Alarms: what trips each, how often in a row, and what a resumed run knows."""

from types import SimpleNamespace

import pytest

from osler.core.errors import OslerError
from osler.core.log import Log
from osler.rl.alarms import Alarms, Limits, gamed, wrong_with

FINE = {
    "reward": 0.5, "parse_rate": 0.9, "entropy": 0.2, "completions/mean_length": 10.0, "frac_reward_zero_std": 0.2,
    "same_reply": 0.2, "kl": 0.01,
}  # fmt: skip
LIMITS = Limits(
    min_entropy=0.01, min_parse_share=0.8, max_length_ratio=3.0, max_equal_groups=0.9, max_same_reply=0.8, max_kl=1.0,
    patience=2, action="warn",
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"entropy": 0.001}, "entropy"),
        ({"parse_rate": 0.7}, "parse_rate"),
        ({"completions/mean_length": 31.0}, "length"),
        ({"completions/mean_length": 3.0}, "length"),
        ({"frac_reward_zero_std": 1.0}, "frac_reward_zero_std"),
        ({"same_reply": 0.95}, "same_reply"),
        ({"kl": 2.0}, "kl"),
    ],
)
def test_each_limit_trips_its_alarm(change, name):
    assert wrong_with(FINE, FINE, LIMITS) == {}
    assert list(wrong_with({**FINE, **change}, FINE, LIMITS)) == [name]


def test_a_limit_of_null_is_not_watched():
    off = Limits(None, None, None, None, None, None, 2, "warn")
    assert wrong_with({**FINE, "entropy": 0.0, "same_reply": 1.0, "parse_rate": 0.0}, FINE, off) == {}


def see(alarms, history):
    alarms.on_log(None, SimpleNamespace(log_history=history, global_step=len(history)), None)


def test_an_alarm_is_counted_at_once_and_said_once_after_patience(capsys):
    alarms, history = Alarms(LIMITS, Log()), []
    for entry in (FINE, {**FINE, "entropy": 0.001}, {**FINE, "entropy": 0.001}, {**FINE, "entropy": 0.001}):
        history.append(dict(entry))
        see(alarms, history)
    assert [entry.get("alarm/entropy") for entry in history] == [None, 1, 1, 1]
    assert capsys.readouterr().err.count("entropy is 0.001, below 0.01") == 1


def test_stop_ends_the_run_and_a_resumed_one_again():
    limits = Limits(**{**vars(LIMITS), "action": "stop"})
    history = [dict(FINE), {**FINE, "same_reply": 0.9, "alarm/same_reply": 1}, {**FINE, "same_reply": 0.9}]
    for _ in range(2):
        with pytest.raises(OslerError, match="collapsed.*same_reply is 0.9, above 0.8"):
            see(Alarms(limits, Log(quiet=True)), history)


def test_rewards_that_rise_while_right_answers_fall_are_gamed(capsys):
    def found(accuracy, reward):
        return {"eval_accuracy": accuracy, "eval_reward": reward}

    assert gamed([found(0.5, 0.5), found(0.6, 0.6)]) == ""
    assert gamed([found(0.5, 0.5), found(0.4, 0.4)]) == ""
    assert gamed([found(0.5, 0.5)]) == ""
    history = [found(0.5, 0.5), dict(FINE), found(0.4, 0.7)]
    assert "rose to 0.700 while the share of right answers fell from 0.500 to 0.400" in gamed(history)
    see(Alarms(LIMITS, Log()), history)
    assert history[-1]["alarm/gamed"] == 1 and "right answers fell" in capsys.readouterr().err

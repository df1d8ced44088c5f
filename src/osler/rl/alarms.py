"""Alarms: what tells from the log of a training by trial that it has collapsed, or that its rewards are being gamed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from osler.core.errors import OslerError
from osler.core.log import Log

Entry = Mapping[str, Any]

# An evaluation counts as worse, and a reward as better, from this difference on.
_CLEARLY = 0.03


@dataclass(frozen=True)
class Limits:
    """Plain values of `AlarmsConfig`; see there."""

    min_entropy: float | None
    min_parse_share: float | None
    max_length_ratio: float | None
    max_equal_groups: float | None
    max_same_reply: float | None
    max_kl: float | None
    patience: int
    action: str


def wrong_with(entry: Entry, first: Entry, limits: Limits) -> dict[str, str]:
    """What is out of bounds in one entry of the log, by alarm, in words. `first` is the training's first entry."""
    shares = {
        "parse_rate": None if limits.min_parse_share is None else limits.min_parse_share * first["parse_rate"],
        "entropy": limits.min_entropy,
    }
    tops = {
        "frac_reward_zero_std": limits.max_equal_groups,
        "same_reply": limits.max_same_reply,
        "kl": limits.max_kl,
    }
    found = {}
    for key, limit in shares.items():
        if limit is not None and entry[key] < limit:
            found[key] = f"{key} is {entry[key]:.4g}, below {limit:.4g}"
    for key, limit in tops.items():
        if limit is not None and key in entry and entry[key] > limit:
            found[key] = f"{key} is {entry[key]:.4g}, above {limit:.4g}"
    if limits.max_length_ratio is not None:
        ratio = entry["completions/mean_length"] / max(1e-9, first["completions/mean_length"])
        if not 1 / limits.max_length_ratio <= ratio <= limits.max_length_ratio:
            found["length"] = f"replies are {ratio:.2g} times as long as at the start"
    return found


def gamed(history: Sequence[Entry]) -> str:
    """Why the rewards seem to be gamed: between two evaluations they rose while the right answers became fewer."""
    evaluations = [number for number, entry in enumerate(history) if "eval_accuracy" in entry]
    if len(evaluations) < 2 or evaluations[-1] != len(history) - 1:
        return ""
    last, best = history[evaluations[-1]], max((history[n] for n in evaluations), key=lambda e: e["eval_accuracy"])
    fell = last["eval_accuracy"] < best["eval_accuracy"] - _CLEARLY
    rose = last["eval_reward"] > best["eval_reward"] + _CLEARLY
    if not (fell and rose):
        return ""
    return (
        f"the reward rose to {last['eval_reward']:.3f} while the share of right answers fell from "
        f"{best['eval_accuracy']:.3f} to {last['eval_accuracy']:.3f}"
    )


class Alarms(TrainerCallback):
    """Looks at each entry of the log; adds `alarm/NAME: 1` to those that are out of bounds.

    What it knows is what the log holds, which a checkpoint keeps: a resumed run raises the same alarms.

    Raises:
        OslerError: on an alarm, where its action is `stop`.
    """

    def __init__(self, limits: Limits, log: Log) -> None:
        self.limits = limits
        self.say = log

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Look at the newest entry."""
        entry = state.log_history[-1]
        if "eval_accuracy" in entry:
            if reason := gamed(state.log_history):
                entry["alarm/gamed"] = 1
                self._raise(reason, state.global_step)
            return
        if "reward" not in entry:
            return
        entries = [each for each in state.log_history if "reward" in each]
        for name, reason in wrong_with(entry, entries[0], self.limits).items():
            entry[f"alarm/{name}"] = 1
            in_a_row = next(
                (n for n, each in enumerate(reversed(entries)) if f"alarm/{name}" not in each), len(entries)
            )
            if in_a_row == self.limits.patience or (in_a_row > self.limits.patience and self.limits.action == "stop"):
                self._raise(reason, state.global_step)

    def _raise(self, reason: str, step: int) -> None:
        message = f"step {step}: {reason}"
        if self.limits.action == "stop":
            raise OslerError(
                f"the training has collapsed. {message}. Go back to an earlier checkpoint with a lower learning rate, "
                "a larger loss.kl or other rewards"
            )
        self.say.warn(message)

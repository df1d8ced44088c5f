"""Reward: how a reply is judged while a model learns by trial, and how several rewards become one number.

A reward is built on the metrics of `scoring`: what the evaluation counts is what is rewarded, by the same function.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from osler.core.catalog import REWARDS
from osler.core.errors import InputError, OslerError
from osler.schema.sample import Sample
from osler.scoring.channels import split_channels
from osler.scoring.extract import Extraction, read_reply
from osler.scoring.scorer import Extracted, Metric, Pair, load_metric


@dataclass(frozen=True)
class Said:
    """One reply to a question, read as `osler eval` reads it.

    sample: the question with its truth.
    raw: everything that was said, control tokens included, without the end token.
    extraction: status, answer and final words.
    analysis: the words thought before.
    num_tokens, max_tokens: how long it is, and how long it might have been.
    """

    sample: Sample
    raw: str
    extraction: Extraction
    analysis: str
    num_tokens: int
    max_tokens: int


Judge = Callable[[Said, Mapping[str, Metric]], float | None]


def read_said(sample: Sample, raw: str, *, finished: bool, num_tokens: int, max_tokens: int) -> Said:
    """A reply read. `finished`: the model stopped by itself."""
    return Said(
        sample=sample,
        raw=raw,
        extraction=read_reply(raw, sample.answer, finished=finished),
        analysis=split_channels(raw).analysis,
        num_tokens=num_tokens,
        max_tokens=max_tokens,
    )


def first_measured(said: Said, metrics: Mapping[str, Metric]) -> float | None:
    """The score of the first metric that measures this kind of answer; None where none does."""
    scores = (metric.score(said.extraction.parsed, said.sample.answer) for metric in metrics.values())
    return next((score for score in scores if score is not None), None)


@dataclass(frozen=True)
class Reward:
    """What is worth how much, from 0 to 1.

    name: the file's name.
    blind_to: what it cannot verify, for whoever chooses the weights.
    metrics: names of the metrics that it is built on.
    judge: from a reply and these metrics to its worth; None where it cannot judge. Whether it can must depend on the
        question alone: a reward that judged some replies to a question and not others would reward silence.
    """

    name: str
    blind_to: str
    metrics: tuple[str, ...] = ()
    judge: Judge = first_measured


@dataclass(frozen=True)
class Scored:
    """What a reply is worth: `total` is the weighted mean of the `parts` that judged, None where none did."""

    total: float | None
    parts: Mapping[str, float | None]


class Panel:
    """The rewards of a recipe with their weights.

    Args:
        weights: by reward's name.
        extracted: the models behind metrics of whole reports.

    Raises:
        InputError: no such reward, or one whose metric lacks its weights.
    """

    def __init__(self, weights: Mapping[str, float], extracted: Extracted) -> None:
        if not weights:
            raise InputError("recipe: rewards is empty", expected=f"weights of {', '.join(REWARDS.names())}")
        self.weights = dict(weights)
        self.rewards: dict[str, Reward] = {name: REWARDS.load(name) for name in weights}
        self.metrics = {name: load_metric(name) for reward in self.rewards.values() for name in reward.metrics}
        self.extracted = extracted
        for name, reward in self.rewards.items():
            for metric in reward.metrics:
                if reason := self.metrics[metric].reason(extracted):
                    raise InputError(f"reward {name!r} needs metric {metric!r}: {reason}")

    def judges(self, sample: Sample) -> tuple[str, ...]:
        """The names of the rewards that can judge replies to this question."""
        empty = read_said(sample, "", finished=True, num_tokens=0, max_tokens=1)
        return tuple(name for name, part in self.score([empty])[0].parts.items() if part is not None)

    def score(self, replies: Sequence[Said]) -> list[Scored]:
        """What each reply is worth. Weights of rewards that cannot judge a question go to the others, in proportion.

        Raises:
            OslerError: a reward judged some replies to a question and not others, or left the range from 0 to 1.
        """
        pairs: list[Pair] = [(said.extraction.parsed, said.sample.answer) for said in replies]
        bound = {name: metric.bound(self.extracted, pairs) for name, metric in self.metrics.items()}
        scored = []
        for said in replies:
            parts = {
                name: reward.judge(said, {metric: bound[metric] for metric in reward.metrics})
                for name, reward in self.rewards.items()
            }
            scored.append(Scored(self._total(parts), parts))
        _check_groups(replies, scored)
        return scored

    def _total(self, parts: Mapping[str, float | None]) -> float | None:
        judged = {name: part for name, part in parts.items() if part is not None}
        for name, part in judged.items():
            if not 0 <= part <= 1:
                raise OslerError(f"reward {name!r} gave {part}, which is not from 0 to 1")
        weight = sum(self.weights[name] for name in judged)
        return sum(self.weights[name] * part for name, part in judged.items()) / weight if judged else None


def _check_groups(replies: Sequence[Said], scored: Sequence[Scored]) -> None:
    judging: dict[int, tuple[bool, ...]] = {}
    for said, found in zip(replies, scored, strict=True):
        able = tuple(part is not None for part in found.parts.values())
        if judging.setdefault(id(said.sample), able) != able:
            names = [name for name, a, b in zip(found.parts, able, judging[id(said.sample)], strict=True) if a != b]
            raise OslerError(
                f"reward {names[0]!r} judged some replies to question {said.sample.id!r} and not others; "
                "whether it can judge must follow from the question alone"
            )

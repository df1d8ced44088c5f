"""Measured: the runs of one encoder on one set by one variant of a probe, under all seeds, ready to be scored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from osler.core.errors import InputError
from osler.core.files import sha256_json
from osler.scoring.encoders.metrics import Weighted, headline, weighted_metric
from osler.scoring.encoders.runs import Answered, Run
from osler.scoring.encoders.seeds import Drawn, SeedDraws


@dataclass(frozen=True, eq=False)
class Measured:
    """What one encoder said to one set by one probe, seed by seed. probe: with its variant, such as `few_shot_4`."""

    encoder: str
    set_name: str
    probe: str
    classes: tuple[str, ...]
    is_multi_label: bool
    protocol_sha256: str
    seeds: tuple[int, ...]
    answered: tuple[Answered, ...]
    facts: tuple[dict[str, Any], ...]
    about: tuple[dict[str, Any], ...]
    _held: dict[str, Drawn] = field(default_factory=dict)

    @property
    def scores(self) -> dict[str, Any]:
        """How the protocol says that predictions are scored."""
        found: dict[str, Any] = self.about[0]["scores"]
        return found

    @property
    def base_sha256(self) -> str:
        """The hash of the protocol alone, where `protocol_sha256` is of a section's settings too."""
        return str(self.about[0].get("base_sha256", self.protocol_sha256))

    @property
    def ids_sha256(self) -> str:
        """The hash of the items of every seed's test part, with their truth: equal for what may be compared."""
        truth = [each.gold.astype(int).tolist() for each in self.answered]
        return sha256_json([[list(each.items) for each in self.answered], truth, list(self.seeds)])

    @property
    def metric(self) -> str:
        """The metric that the set is ranked by."""
        return headline(self.is_multi_label)

    def draws(self) -> SeedDraws:
        """The draws that all encoders on these items share."""
        scores = self.scores
        groups = [each.groups for each in self.answered]
        return SeedDraws(groups, name=self.set_name, seed=scores["seed"], num_resamples=scores["num_resamples"])

    def weighted(self, metric: str) -> list[Weighted]:
        """A metric of each seed's items as a function of their weights."""
        return [weighted_metric(metric, each, threshold=self.scores["threshold"]) for each in self.answered]

    def drawn(self, metric: str) -> Drawn:
        """A metric with its draws, which are made once."""
        if metric not in self._held:
            self._held[metric] = self.draws().draw(self.weighted(metric))
        return self._held[metric]

    def unflagged(self) -> "Measured | None":
        """Without the items that are no unseen ones; None where all are unseen, or a seed has no other."""
        if not any(any(each.flags) for each in self.answered):
            return None
        kept = tuple(each.unflagged() for each in self.answered)
        if not all(each.items for each in kept):
            return None
        return replace(self, answered=kept, _held={})


def measured(runs: Iterable[Run]) -> list[Measured]:
    """The runs by set, probe, variant and encoder, in that order.

    Raises:
        InputError: two runs of one encoder, set, probe and seed.
    """
    found: dict[tuple[str, str, str, str, str], dict[int, Run]] = {}
    for run in runs:
        for variant in run.answers:
            seeds = found.setdefault((run.set_name, run.probe, variant, run.encoder, run.protocol_sha256), {})
            if run.seed in seeds:
                raise InputError(
                    f"encoder {run.encoder!r} was measured twice on {run.set_name} by {run.probe}",
                    expected="each encoder, set, probe and seed once",
                    fix="Give the encoders different names, or leave one of the folders out.",
                )
            seeds[run.seed] = run
    return [_measured(seeds, variant, probe) for (_, probe, variant, _, _), seeds in found.items()]


def probe_name(probe: str, variant: str) -> str:
    """What results call a variant of a probe."""
    last = probe.rpartition(".")[2]
    return f"{last}_{variant}" if variant else last


def comparable(group: Sequence[Measured]) -> bool:
    """Whether all are of the same items under the same protocol."""
    return len({(each.protocol_sha256, each.ids_sha256) for each in group}) == 1


def _measured(seeds: dict[int, Run], variant: str, probe: str) -> Measured:
    ordered = [seeds[seed] for seed in sorted(seeds)]
    first = ordered[0]
    return Measured(
        encoder=first.encoder,
        set_name=first.set_name,
        probe=probe_name(probe, variant),
        classes=first.classes,
        is_multi_label=first.is_multi_label,
        protocol_sha256=first.protocol_sha256,
        seeds=tuple(run.seed for run in ordered),
        answered=tuple(run.answers[variant] for run in ordered),
        facts=tuple(run.facts.get(variant, {}) for run in ordered),
        about=tuple(run.about for run in ordered),
    )


def majority_answered(one: Measured) -> list[Answered]:
    """What each seed's most frequent training answer would say, in the place of the encoder."""
    return [
        Answered(each.items, each.groups, each.gold, _constant(each, about["majority"]), each.flags)
        for each, about in zip(one.answered, one.about, strict=True)
    ]


def _constant(each: Answered, labels: Sequence[int]) -> np.ndarray:
    table = np.zeros_like(each.probabilities)
    table[:, list(labels)] = 1.0
    return table

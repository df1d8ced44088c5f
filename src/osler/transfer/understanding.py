"""Probes of understanding: films that differ in one factor only, and whether an encoder tells them apart.

With words, each film is shown with its own caption and that of the other film of its pair, which differs in the side,
the denial, the count or the finding and in nothing else; the caption of the higher cosine is the choice. An encoder
that does not look chooses the same caption for both films, so that it is right for one of them: it has one half of the
films, and no pair. Random choices have one half of the films, and a quarter of the pairs.

Without words, the same films ask whether the factor is in the features at all: a linear probe learns the factor's
values from other pairs, for each thing that it is asked of (side of effusion, side of nodule, ...), and chooses between
the two values of the pair.

A tie (scores within TIE) is half a right choice, and no right pair.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osler.core.errors import InputError
from osler.datasets.media import store_rows
from osler.schema.sample import Sample
from osler.transfer.image_set import Item
from osler.transfer.measure import Measure, mean_measure

TIE = 1e-6
TASK_PREFIX = "phantom_pair_"


@dataclass(frozen=True)
class PairFilm:
    """One film of a pair. subject: what the factor is asked of. value, other: of this film and of the other one."""

    item: Item
    factor: str
    subject: str
    value: str
    other: str
    caption: str
    other_caption: str

    @property
    def pair(self) -> str:
        """The name that both films share."""
        return self.item.group


def read_pair_films(folder: Path, split: str) -> tuple[PairFilm, ...]:
    """The films of one split of a store of pairs, those of a pair side by side.

    Raises:
        InputError: the store holds no pairs, or a film without the other one of its pair.
    """
    found: dict[str, list[tuple[Item, Sample]]] = {}
    for row in store_rows(folder, split):
        sample: Sample = row["sample"]
        if sample.task.startswith(TASK_PREFIX) and len(sample.tags) == 2 and len(sample.answer.options) == 2:
            media = sample.media[0]
            place = row["places"][media.path]
            item = Item(sample.id, sample.group, split, (), media.sha256, str(folder), place, media.window)
            found.setdefault(sample.group, []).append((item, sample))
    if not found:
        raise InputError(
            f"split {split!r} of {folder} holds no pairs of films",
            expected=f"samples of tasks {TASK_PREFIX}*",
            fix="Draw them with osler synth and `generator: phantom_pairs`.",
        )
    films: list[PairFilm] = []
    for name, both in found.items():
        if len(both) != 2:
            raise InputError(f"pair {name!r} of {folder} has {len(both)} films", expected="2")
        films += [_film(*both[0], both[1][1]), _film(*both[1], both[0][1])]
    return tuple(films)


def measure_choices(
    factors: Sequence[str], subjects: Sequence[str], *, pairs: Sequence[str], margins: np.ndarray, how: str
) -> list[Measure]:
    """Shares of right choices: of each factor, of each factor's subjects, and of pairs with both films right.

    Args:
        factors, subjects, pairs: of each film.
        margins: [films], the score of the right choice minus that of the wrong one.
        how: `captions` or `probe`; part of the task's name.
    """
    right = np.where(np.abs(margins) <= TIE, 0.5, (margins > 0).astype(float))
    signature = f"choice_accuracy|of:two|by:{how}|tie:half|v:1"
    measures: list[Measure] = []
    for factor in dict.fromkeys(factors):
        at = [n for n, name in enumerate(factors) if name == factor]
        task = f"understanding/{how}/{factor}"
        measures.append(_choice(task, signature, right, at=at, pairs=pairs, notes=_notes(right[at])))
        measures.append(_both(task, how, right, at, pairs))
        of_factor = list(dict.fromkeys(subjects[n] for n in at))
        for subject in of_factor if len(of_factor) > 1 else ():
            of_subject = [n for n in at if subjects[n] == subject]
            name = subject.replace("/", "_or_").replace(" ", "_")
            measures.append(_choice(f"{task}/{name}", signature, right, at=of_subject, pairs=pairs, notes=()))
    return measures


def caption_margins(films: Sequence[PairFilm], images_NE: np.ndarray, captions: Mapping[str, np.ndarray]) -> np.ndarray:
    """Cosine with the own caption minus that with the other film's: [films]. captions: by their words, of length 1."""
    own = np.stack([captions[film.caption] for film in films])
    other = np.stack([captions[film.other_caption] for film in films])
    return np.einsum("ne,ne->n", images_NE, own - other)


def _choice(
    task: str, signature: str, right: np.ndarray, *, at: Sequence[int], pairs: Sequence[str], notes: tuple[str, ...]
) -> Measure:
    groups = tuple(pairs[n] for n in at)
    return mean_measure(
        task, "choice_accuracy", signature, values=right[list(at)], groups=groups, chance=0.5, seed=0, notes=notes
    )


def _both(task: str, how: str, right: np.ndarray, at: Sequence[int], pairs: Sequence[str]) -> Measure:
    """The share of pairs of which both films are right."""
    worst: dict[str, float] = {}
    for n in at:
        worst[pairs[n]] = min(right[n], worst.get(pairs[n], 1.0))
    return mean_measure(
        task,
        "pair_accuracy",
        f"pair_accuracy|both-films|by:{how}|tie:wrong|v:1",
        values=np.asarray([float(value == 1) for value in worst.values()]),
        groups=tuple(worst),
        chance=0.25,
        seed=0,
    )


def _notes(right: np.ndarray) -> tuple[str, ...]:
    ties = int((right == 0.5).sum())
    return (f"{ties} of {len(right)} choices are ties",) if ties else ()


def _film(item: Item, sample: Sample, other: Sample) -> PairFilm:
    subject, value = sample.tags
    return PairFilm(
        item=item,
        factor=sample.task.removeprefix(TASK_PREFIX),
        subject=subject,
        value=value,
        other=other.tags[1],
        caption=sample.answer.text,
        other_caption=other.answer.text,
    )

"""Questions: which samples are asked, in which order, and each as the model reads it.

Axes: N tiles, C H W pixels.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter
from osler.schema.media import MediaRef
from osler.schema.sample import Sample, without_images
from osler.train.pack import Selection

Place = tuple[int, int]
"""A sample: number of its selection, and of its row in the selection's index."""


@dataclass(frozen=True)
class Question:
    """One question as the model reads it.

    sample: with its truth.
    ids: up to where the assistant begins to speak.
    pictures: a name for each image, by which equal ones are known.
    tiles: of each image, uint8 [N, C, H, W].
    """

    sample: Sample
    ids: list[int]
    pictures: tuple[str, ...]
    tiles: tuple[torch.Tensor, ...]


class Questions:
    """Reads questions by number and holds the last ones.

    Args:
        selections: what `places` point into.
        places: of each question.
        processing: the model's own.
        held: how many are kept in memory.
    """

    def __init__(
        self, selections: Sequence[Selection], places: Sequence[Place], processing: OslerProcessor, *, held: int = 512
    ) -> None:
        self.selections = selections
        self.places = places
        self.pictures = processing.image_processor
        self.prompter = Prompter(processing.tokenizer, image_seq_length=processing.image_seq_length)
        self.held = held
        self._read: OrderedDict[int, Question] = OrderedDict()

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, number: int) -> Question:
        if number not in self._read:
            self._read[number] = self._load(number)
            if len(self._read) > self.held:
                self._read.popitem(last=False)
        self._read.move_to_end(number)
        return self._read[number]

    def _load(self, number: int) -> Question:
        place = self.places[number]
        selection = self.selections[place[0]]
        row = selection.store.rows(selection.table, [place[1]])[0]
        sample = selection.store.sample(row)
        if selection.withhold_images:
            sample = sample.model_copy(update={"turns": without_images(sample.turns)})
            files: list[tuple[bytes, MediaRef]] = []
        else:
            files = list(zip(selection.store.media(row), sample.media, strict=True))
        tiles = tuple(self.pictures.read_tiles(files)) if files else ()
        ids = self.prompter.question(sample.turns, [len(each) for each in tiles], reasoning=bool(sample.reasoning))
        names = tuple(f"{selection.store.folder}/{row['shard']}/{row['key']}/{n}" for n in range(len(tiles)))
        return Question(sample, ids, names, tiles)


@dataclass(frozen=True)
class Pool:
    """The questions of a run, and how many were left out by reason."""

    places: list[Place]
    left_out: dict[str, int]


def draw_pool(
    selections: Sequence[Selection],
    *,
    num_prompts: int | None,
    seed: int,
    refuse: Callable[[Sample], str] = lambda sample: "",
) -> Pool:
    """Questions drawn without repeat, a selection's share of them by its weight, a task's by its weight therein.

    Args:
        selections: to draw from.
        num_prompts: how many in all; None takes every one.
        seed: of the draw.
        refuse: why a sample cannot be asked; "" where it can. Others are drawn in place of those refused.

    Raises:
        InputError: fewer are left than were asked for.
    """
    total = sum(selection.weight for selection in selections)
    places: list[Place] = []
    left_out: Counter[str] = Counter()
    for number, selection in enumerate(selections):
        wanted = None if num_prompts is None else round(num_prompts * selection.weight / total)
        places += _draw(number, selection, wanted=wanted, seed=seed, refuse=refuse, left_out=left_out)
    if not places:
        raise InputError(
            "no question is left to ask",
            got="; ".join(f"{count} times: {reason}" for reason, count in left_out.items()) or "empty selections",
            fix="Choose tasks whose answers a reward can judge.",
        )
    return Pool(places, dict(sorted(left_out.items())))


def _draw(
    number: int,
    selection: Selection,
    *,
    wanted: int | None,
    seed: int,
    refuse: Callable[[Sample], str],
    left_out: Counter[str],
) -> list[Place]:
    """Weighted draws without repeat (Efraimidis and Spirakis, doi 10.1016/j.ipl.2005.11.003)."""
    draws = generator(seed, "questions", number).random(selection.table.num_rows)
    order = np.argsort(-np.log(draws) / selection.task_weights, kind="stable")
    places: list[Place] = []
    for row in order.tolist():
        if wanted is not None and len(places) == wanted:
            break
        reason = refuse(selection.store.sample(selection.store.rows(selection.table, [row])[0]))
        if reason:
            left_out[reason] += 1
        else:
            places.append((number, row))
    if wanted is not None and len(places) < wanted:
        raise InputError(
            f"{selection.store.folder} has {len(places)} questions that can be asked",
            expected=f"{wanted}, its share of num_prompts",
            fix="Lower num_prompts, or take more tasks.",
        )
    return places


def order(num_questions: int, num_items: int, *, seed: int) -> np.ndarray:
    """Which question each of `num_items` items asks: all in one random order after another. Shape [num_items]."""
    rounds = [generator(seed, "round", n).permutation(num_questions) for n in range(-(-num_items // num_questions))]
    return np.concatenate(rounds)[:num_items]

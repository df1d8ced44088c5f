"""Priors: what someone would answer who has seen many gold answers but no image and perhaps not the question.

majority        the most frequent gold answer among questions of the same form
question_prior  the most frequent gold answer to the same words; the majority where the words are new
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from osler.core.rng import generator
from osler.evaluation.items import Item, select
from osler.evaluation.task import Task
from osler.schema.sample import LETTERS, Answer
from osler.scoring.normalise import normalise
from osler.store.shards import Store

MAX_TRAIN_ROWS = 4000
_OPTIONS_BEGIN = re.compile(r"\n\s*\(?A[.):]\s")


class Gold(NamedTuple):
    """A question's words with its gold answer. `cluster` is "" for a train question."""

    question: str
    answer: Answer
    cluster: str = ""


class Prior(NamedTuple):
    """The two guesses for one item, as an extraction would have given them."""

    majority: str | None
    question_prior: str | None


def train_golds(tasks: Sequence[Task], stores: Sequence[Store], *, seed: int) -> dict[str, list[Gold]]:
    """By task name, gold answers of the train split: at most MAX_TRAIN_ROWS a store, drawn at random."""
    wanted: dict[tuple[int, str, int, int], list[tuple[str, int]]] = defaultdict(list)
    for task in tasks:
        for number, store in enumerate(stores):
            table = select(task, store, "train").select(["shard", "json_offset", "json_size", "position"])
            kept = _draw(table.num_rows, generator(seed, "train_golds", task.name, number))
            for row in table.take(kept).to_pylist():
                place = (number, row["shard"], row["json_offset"], row["json_size"])
                wanted[place].append((task.name, row["position"]))
    golds: dict[str, list[Gold]] = {task.name: [] for task in tasks}
    for (number, shard, offset, size), uses in sorted(wanted.items()):
        samples = json.loads(stores[number].read_bytes(shard, offset, size))["samples"]
        for name, position in uses:
            golds[name].append(_read_gold(samples[position]))
    return golds


def priors(items: Sequence[Item], train: Sequence[Gold]) -> dict[str, Prior]:
    """The guesses for each item, by id.

    They come from `train`. For a form of answer that train does not have, the majority comes from the items
    themselves, and the question prior from the items of other clusters.
    """
    own = [Gold(item.sample.question, item.sample.answer, item.cluster) for item in items]
    train_forms = {_form(gold.answer) for gold in train}
    known = [*train, *(gold for gold in own if _form(gold.answer) not in train_forms)]
    by_form = _count((_form(gold.answer), _guess_of(gold.answer)) for gold in known)
    by_question = _count(
        ((_form(gold.answer), _question(gold)), (gold.cluster, _words_of(gold.answer))) for gold in known
    )
    guesses = {}
    for item, gold in zip(items, own, strict=True):
        majority = _most_frequent(by_form[_form(gold.answer)])
        seen = by_question.get((_form(gold.answer), _question(gold)), Counter())
        guesses[item.id] = Prior(majority, _from_question(gold, seen) or majority)
    return guesses


def from_train(items: Sequence[Item], train: Sequence[Gold]) -> bool:
    """Whether every item's form of answer occurs in train, so that no guess has seen the test."""
    return {_form(item.sample.answer) for item in items} <= {_form(gold.answer) for gold in train}


def _from_question(gold: Gold, seen: Mapping[tuple[str, str], int]) -> str | None:
    """The most frequent answer to the same words outside the item's own cluster, if there is one."""
    counts: Counter[str] = Counter()
    for (cluster, words), times in seen.items():
        if not cluster or cluster != gold.cluster:
            counts[words] += times
    if gold.answer.kind != "choice":
        return _most_frequent(counts)
    offered = {normalise(option): letter for option, letter in zip(gold.answer.options, LETTERS, strict=False)}
    likeliest = _most_frequent(Counter({words: times for words, times in counts.items() if words in offered}))
    return None if likeliest is None else offered[likeliest]


def _form(answer: Answer) -> tuple[str, ...]:
    """Answers of one form compete: the same kind, and for closed ones the same labels."""
    return (answer.kind, *answer.labels)


def _guess_of(answer: Answer) -> str:
    return answer.letter if answer.kind == "choice" else answer.text


def _words_of(answer: Answer) -> str:
    return normalise(answer.text) if answer.kind == "choice" else answer.text


def _question(gold: Gold) -> str:
    """The question's words without its options, whose order would make every question new."""
    stem = _OPTIONS_BEGIN.split(gold.question)[0] if gold.answer.kind == "choice" else gold.question
    return normalise(stem)


def _count(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Counter[Any]]:
    counts: dict[Any, Counter[Any]] = defaultdict(Counter)
    for key, value in pairs:
        counts[key][value] += 1
    return counts


def _most_frequent(counts: Counter[str]) -> str | None:
    """Of equally frequent ones the first in the alphabet."""
    return min(counts, key=lambda value: (-counts[value], value)) if counts else None


def _draw(num_rows: int, random: np.random.Generator) -> np.ndarray:
    if num_rows <= MAX_TRAIN_ROWS:
        return np.arange(num_rows)
    return np.sort(random.choice(num_rows, MAX_TRAIN_ROWS, replace=False))


def _read_gold(sample: dict[str, Any]) -> Gold:
    """Read from the stored JSON itself: building whole samples would cost ten times as long."""
    turn = next(turn for turn in reversed(sample["turns"]) if turn["role"] == "user")
    words = "\n".join(part["text"] for part in turn["parts"] if "text" in part)
    return Gold(words, Answer.model_validate(sample["answer"]))

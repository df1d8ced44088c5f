"""Sources of a training: the entries of a recipe's `data`, and a mix taken apart into its datasets."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from osler.core.errors import InputError
from osler.core.files import read_json
from osler.store.reader import Store, record_starts
from osler.train.pack import Selection, select
from osler.train.stage import DataConfig

_MIXTURE = "mixture.json"


@dataclass(frozen=True)
class Part:
    """Datasets of a store, None for all, and their share of the draws, in records."""

    datasets: tuple[str, ...] | None
    weight: float


def select_all(data: Iterable[DataConfig], *, questions_per_image: int) -> list[Selection]:
    """What the entries of a recipe's `data` choose, in order; an entry with `by_dataset` gives one for each dataset.

    Args:
        data: the entries.
        questions_per_image: most samples that one drawn record brings.

    Raises:
        InputError: nothing is chosen, or a mix does not say its weights.
    """
    chosen = []
    for each in data:
        store = Store(each.shards)
        chosen += [
            select(
                store,
                split=each.split,
                tasks=each.tasks,
                licences=each.licences,
                datasets=part.datasets,
                weight=part.weight,
                withhold_images=each.withhold_images,
            )
            for part in parts(each, questions_per_image=questions_per_image)
        ]
    return chosen


def parts(data: DataConfig, *, questions_per_image: int) -> list[Part]:
    """What an entry is drawn from: its store as a whole, or each dataset of its mix."""
    if not data.by_dataset:
        return [Part(None, data.weight)]
    return mix_parts(data, questions_per_image=questions_per_image)


def mix_parts(data: DataConfig, *, questions_per_image: int) -> list[Part]:
    """The datasets of a mix with weights that add up to the entry's own.

    `mixture.json` weighs samples and training draws records, of which each brings its questions at once; so that a
    dataset gets its share of the samples, its weight is divided by the samples that a record of it brings on average.
    """
    store = Store(data.shards)
    stated = _stated_weights(data.shards, data.split)
    per_record = _samples_per_record(store.table(data.split), questions_per_image)
    if set(stated) != set(per_record):
        raise InputError(
            f"{data.shards / _MIXTURE} and the index of split {data.split!r} name other datasets",
            expected=", ".join(sorted(per_record)),
            got=", ".join(sorted(stated)) or "none",
            fix="Run the command that made it again.",
        )
    records = {name: weight / per_record[name] for name, weight in stated.items()}
    total = sum(records.values())
    return [Part((name,), data.weight * weight / total) for name, weight in sorted(records.items())]


def mixture_files(data: Iterable[DataConfig]) -> list[Path]:
    """The files that weigh the mixes among the entries."""
    return [each.shards / _MIXTURE for each in data if each.by_dataset]


def _stated_weights(folder: Path, split: str) -> dict[str, float]:
    path = folder / _MIXTURE
    if not path.is_file():
        raise InputError(
            f"data.by_dataset: {folder} does not say how its datasets are weighed",
            expected=str(path),
            fix="Make the store with osler curate, or leave by_dataset out.",
        )
    splits = read_json(path).get("splits", {})
    if split not in splits:
        raise InputError(f"{path} says nothing of split {split!r}", expected=f"one of {', '.join(splits)}")
    return {name: float(facts["weight"]) for name, facts in splits[split].items() if facts["weight"] > 0}


def _samples_per_record(table: pa.Table, questions_per_image: int) -> dict[str, float]:
    starts = record_starts(table)
    asked = np.minimum(np.diff([*starts, table.num_rows]), questions_per_image)
    names = np.array(table["dataset"].take(pa.array(starts)).to_pylist())
    return {str(name): float(asked[names == name].mean()) for name in np.unique(names)}

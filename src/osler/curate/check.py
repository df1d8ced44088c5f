"""`osler curate check`: which evaluation items the training data holds, by source, by image or by words.

The order is that of cost and of certainty: ids of article and group, the file, the pixels, the picture in changed form,
the words. Each item keeps the best match of every rule. An item is `flagged` where a match is sure, `doubtful` where a
person should look, `unreadable` where one of its images could not be compared, else `clean`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from osler.core.catalog import ADAPTERS
from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.files import atomic_write, existing_folder, write_json, write_text
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.core.settings import read_settings
from osler.curate.check_matches import Found, find_matches
from osler.curate.check_page import contamination_page
from osler.curate.duplicates.evaluation_index import EvaluationIndex, build_index, save_index
from osler.datasets.dataset import check_layout, read_drafts
from osler.datasets.media import read_media
from osler.schema.sample import Sample
from osler.store.reader import Store

INDEX = "evaluation"
FLAGS, MATCHES, SUMMARY, PAGE = "flags.parquet", "contamination.parquet", "contamination.json", "contamination.html"
_SPLITS = ("test", "validation")


class AgainstConfig(Config):
    """An evaluation set: a dataset's `name` and its folder, or a folder of shards without a name."""

    name: str = ""
    root: Path


class CheckConfig(Config):
    """What `osler curate check` was asked. train: a folder of shards, of which the train split is read."""

    train: Path
    against: Annotated[tuple[AgainstConfig, ...], Field(min_length=1)]
    seed: int = 0


def parse(recipe: Recipe) -> CheckConfig:
    """The recipe checked. An entry of `against` may be a dataset's name, NAME=FOLDER or a folder of shards.

    A dataset without a folder is looked for below the folder that OSLER_DATA names.
    """
    against = recipe.get("against") or []
    if not isinstance(against, list):
        raise InputError("recipe: against must be a list", got=type(against).__name__)
    return CheckConfig.parse({**recipe, "against": [_entry(one) if isinstance(one, str) else one for one in against]})


def inputs(config: CheckConfig) -> list[Path]:
    """The index of the training shards, which tells their hashes, and the files that list the evaluation items."""
    paths = [existing_folder(existing_folder(config.train) / "index")]
    for entry in config.against:
        if not entry.name:
            paths.append(existing_folder(existing_folder(entry.root) / "index"))
            continue
        dataset = ADAPTERS.load(entry.name)
        for split in _splits(dataset.splits):
            check_layout(dataset, entry.name, entry.root, split=split)
            paths += dataset.rows.paths(entry.root, split)
    return list(dict.fromkeys(paths))


def run(config: CheckConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Write flags, matches, summary and page, and the index that `drop_contaminated` reads. No model runs."""
    samples = (pair for entry in config.against for pair in _evaluation_samples(entry))
    index = build_index(log.progress(samples, "read evaluation items"), seed=config.seed)
    if not index.items:
        raise InputError("the evaluation sets hold no item", got=", ".join(str(e.root) for e in config.against))
    save_index(out / INDEX, index)
    store = Store(config.train)
    found = find_matches(index, store, log=log)
    flags = item_flags(index, found)
    _write_table(out / MATCHES, found.table(index))
    _write_table(out / FLAGS, flags)
    summary = _summary(index, found, flags)
    write_json(out / SUMMARY, summary)
    write_text(out / PAGE, contamination_page(index, found, store, summary=summary, train=config.train.name))
    counts = {name: int(number) for name, number in Counter(flags["verdict"].to_pylist()).items()}
    message = f"{counts.get('flagged', 0)} of {len(index.items)} evaluation items are in {config.train}: {out / PAGE}"
    return Outcome(message, seeds={"seed": config.seed}, counts={"items": len(index.items), **counts})


def item_flags(index: EvaluationIndex, found: Found) -> pa.Table:
    """One row an evaluation item: id, dataset, verdict, and the rules of its sure matches."""
    sure: dict[int, list[str]] = {}
    doubtful: set[int] = set()
    for match in found.matches:
        if match.is_doubtful:
            doubtful.add(match.item)
        else:
            sure.setdefault(match.item, []).append(match.rule)
    unreadable = set(index.unreadable)
    rows = []
    for number, item in enumerate(index.items):
        verdict = "clean"
        if number in sure:
            verdict = "flagged"
        elif number in doubtful:
            verdict = "doubtful"
        elif item.id in unreadable:
            verdict = "unreadable"
        rows.append({"id": item.id, "dataset": item.dataset, "verdict": verdict, "rules": sure.get(number, [])})
    text = pa.string()
    schema = pa.schema([("id", text), ("dataset", text), ("verdict", text), ("rules", pa.list_(text))])
    return pa.Table.from_pylist(rows, schema=schema)


def _entry(text: str) -> dict[str, str]:
    name, equals, folder = text.partition("=")
    if equals:
        ADAPTERS.load(name)
        return {"name": name, "root": folder}
    if (Path(text) / "index").is_dir():
        return {"root": text}
    ADAPTERS.load(text)
    return {"name": text, "root": str(read_settings().data_root / text)}


def _splits(known: Sequence[str]) -> list[str]:
    """The test split; where there is none the validation split, or else all."""
    return next(([split] for split in _SPLITS if split in known), list(known))


def _evaluation_samples(entry: AgainstConfig) -> Iterator[tuple[Sample, list[bytes | None]]]:
    if entry.name:
        dataset = ADAPTERS.load(entry.name)
        for split in _splits(list(dataset.splits)):
            for draft in read_drafts(dataset, entry.name, entry.root, split=split):
                if draft.sample is not None:
                    paths = [draft.places.get(ref.path, ref.path) for ref in draft.sample.media]
                    yield draft.sample, [read_media(entry.root, path) for path in paths]
        return
    store = Store(entry.root)
    for split in _splits(store.splits()):
        for record in store.records(split):
            for sample in record.samples:
                yield sample, [record.files[ref.path] for ref in sample.media]


def _summary(index: EvaluationIndex, found: Found, flags: pa.Table) -> dict[str, Any]:
    datasets: dict[str, Any] = {}
    for row in flags.to_pylist():
        entry = datasets.setdefault(row["dataset"], {"items": 0, "verdicts": {}, "rules": {}})
        entry["items"] += 1
        entry["verdicts"][row["verdict"]] = entry["verdicts"].get(row["verdict"], 0) + 1
        for rule in row["rules"]:
            entry["rules"][rule] = entry["rules"].get(rule, 0) + 1
    needed = {image.dataset: round(image.needed, 4) for image in index.images}
    return {
        "datasets": {name: {**entry, "needed_likeness": needed.get(name)} for name, entry in datasets.items()},
        "evaluation_images": len(index.images),
        "train_samples": found.num_samples,
        "train_images": found.num_images,
        "train_images_unreadable": found.num_unreadable,
    }


def _write_table(path: Path, table: pa.Table) -> None:
    with atomic_write(path) as file:
        pq.write_table(table, file, compression="zstd", compression_level=3)

"""Pairs of drawn films as a store: one record a film, which asks for the caption that fits it, of two.

key    FACTOR-NUMBER-a and -b          group  FACTOR-NUMBER, which no split cuts
task   phantom_pair_FACTOR             tags   what the factor is asked of, and its value on this film
answer a choice between the film's own caption and that of the other film, in random order
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from osler.core.config import Config
from osler.core.files import sha256_bytes
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.core.rng import generator
from osler.curate.card import source_note, write_card
from osler.curate.croissant import write_croissant
from osler.curate.estimate import estimate_cost
from osler.datasets.adapters.phantom import DATASET as ADAPTER
from osler.datasets.wording import ask_choice
from osler.media.image import encode_png8, encode_png16
from osler.schema.media import MaskRef, MediaRef
from osler.schema.sample import Provenance, Sample, Split, choice, user
from osler.store.index import index_path, read_info, shard_name, tar_path
from osler.store.reader import Store
from osler.store.record import StoredRecord
from osler.store.shards import write_shard
from osler.synth.phantom.film import BITS
from osler.synth.phantom.pairs import FACTORS, Pair, Version, draw_pair
from osler.synth.phantom.truth import LABELS, LICENCE
from osler.synth.splits import SPLITS, SplitShares, split_by_hash

DATASET = "phantom_pairs"
_TITLE = "Pairs of drawn chest radiographs"
_PNG_LEVEL = 1
Factor = Literal["side", "negation", "count", "confusable"]


class PhantomPairsConfig(Config):
    """A recipe of `osler synth` with `generator: phantom_pairs`.

    num_pairs: of each factor; each pair is two films. factors: in which the films of a pair differ. image_px: width and
    height of a film. shard_pairs: pairs a shard holds before a new one begins.
    """

    generator: Literal["phantom_pairs"] = "phantom_pairs"
    seed: int = 0
    num_pairs: Annotated[int, Field(ge=2, le=1_000_000)]
    factors: Annotated[tuple[Factor, ...], Field(min_length=1)] = FACTORS  # type: ignore[assignment]
    image_px: Annotated[int, Field(ge=48, le=4096)] = 96
    splits: SplitShares = SplitShares(train=0.5, test=0.5)
    shard_pairs: PositiveInt = 512

    @model_validator(mode="after")
    def _differ(self) -> "PhantomPairsConfig":
        if len(set(self.factors)) != len(self.factors):
            raise ValueError(f"factors must differ; got {', '.join(self.factors)}")
        return self


def draw_pair_world(config: PhantomPairsConfig, out: Path, log: Log) -> Outcome:
    """Write shards, index, card and croissant under `out`; a finished shard is never drawn twice."""
    jobs = list(_jobs(config))
    for split, number, pairs in log.progress(jobs, "draw pairs", total=len(jobs), unit="shards"):
        if not _is_finished(out, shard_name(split, number)):
            records = (
                record
                for factor, pair in pairs
                for record in pair_records(config.seed, factor, pair, split=split, image_px=config.image_px)
            )
            write_shard(
                out,
                split,
                number,
                records=records,
                estimate=partial(estimate_cost, tile_px=config.image_px, max_tiles=1),
            )
    store = Store(out)
    sources = [source_note(DATASET, ADAPTER)]
    description = "Pairs of drawn chest radiographs that differ in one factor, each with the caption of either film."
    write_card(out, title=_TITLE, sources=sources, store=store)
    write_croissant(out, name=_TITLE, description=description, sources=sources, store=store)
    films = sum(info.num_records for info in store.shards())
    message = f"{films // 2} pairs of films, {', '.join(config.factors)}: {out}"
    return Outcome(message, seeds={"seed": config.seed}, counts={"pairs": films // 2, "films": films})


def pair_records(seed: int, factor: str, number: int, *, split: Split, image_px: int) -> Iterator[StoredRecord]:
    """The two records of one pair."""
    pair = draw_pair(seed, factor, number, image_px=image_px)
    group = f"{factor}-{number:06d}"
    for letter, own, other in zip("ab", pair.versions, reversed(pair.versions), strict=True):
        yield _record(seed, pair, f"{group}-{letter}", own, other, group=group, split=split)


def _record(seed: int, pair: Pair, key: str, own: Version, other: Version, *, group: str, split: Split) -> StoredRecord:
    picture = encode_png16(own.film.pixels, level=_PNG_LEVEL)
    mask = encode_png8(own.film.mask, level=_PNG_LEVEL)
    captions = (own.caption, other.caption)
    options = captions if generator(seed, "pair options", key).random() < 0.5 else captions[::-1]
    height, width = own.film.pixels.shape
    media = MediaRef(
        path=f"{key}.0.png",
        width=width,
        height=height,
        bits=BITS,
        window=own.film.window,
        view=own.film.study.view,
        sha256=sha256_bytes(picture),
        mask=MaskRef(path=f"{key}.0.mask.png", labels=LABELS),
    )
    sample = Sample(
        id=f"{key}-0",
        turns=(user(media, ask_choice("Which caption fits the film?", options)),),
        answer=choice(own.caption, options),
        task=f"phantom_pair_{pair.factor}",
        split=split,
        group=group,
        modality="x-ray",
        body_part="chest",
        tags=(pair.subject, own.value),
        provenance=Provenance(dataset=DATASET, record_id=key, licence=LICENCE),
    )
    return StoredRecord(key, (sample,), {media.path: picture, f"{key}.0.mask.png": mask})


def _jobs(config: PhantomPairsConfig) -> Iterator[tuple[Split, int, list[tuple[str, int]]]]:
    """Split, shard number and pairs of each shard. A pair's split is fixed by its number."""
    shares = config.splits.plain()
    for split in SPLITS:
        pairs: list[tuple[str, int]] = [
            (factor, number)
            for factor in config.factors
            for number in range(config.num_pairs)
            if split_by_hash(f"{DATASET} {factor} {number}", shares) == split
        ]
        for start in range(0, len(pairs), config.shard_pairs):
            yield split, start // config.shard_pairs, pairs[start : start + config.shard_pairs]


def _is_finished(out: Path, name: str) -> bool:
    tar, index = tar_path(out, name), index_path(out, name)
    return tar.is_file() and index.is_file() and tar.stat().st_size == read_info(index).num_bytes

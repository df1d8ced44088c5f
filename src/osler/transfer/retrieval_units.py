"""Retrieval units: one encoder and store each; the rank of every image and text is kept."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from osler.core.files import sha256_json
from osler.core.log import Log
from osler.transfer.caption_pairs import Pairs, read_pairs
from osler.transfer.features import opened
from osler.transfer.joint import image_vectors, text_vectors
from osler.transfer.kept import Kept, is_kept, write_kept
from osler.transfer.measure import Measure
from osler.transfer.protocol import Protocol
from osler.transfer.ranks import Ranks, ranks_both_ways
from osler.transfer.retrieval import measure_ranks, pair_notes
from osler.transfer.section_hash import section_sha256
from osler.transfer.sections import RetrievalConfig
from osler.transfer.units import Bench

SECTION = "retrieval"
_WAYS = ("image_to_text", "text_to_image")


def retrieval_pairs(config: RetrievalConfig) -> tuple[Pairs, ...]:
    """The pairs of every store of the recipe."""
    return tuple(
        read_pairs(each.name, each.shards, each.split, texts=each.texts, tasks=each.tasks, max_images=each.max_images)
        for each in config.stores
    )


def run_retrieval(
    bench: Bench, pairs: Sequence[Pairs], *, config: RetrievalConfig, protocol: Protocol, out: Path, log: Log
) -> None:
    """Rank the images and texts of every store, unless it was done."""
    digest = section_sha256(protocol, SECTION, {"at": config.at, "version": config.version})
    for each in pairs:
        key = sha256_json([digest, bench.weights_sha256, each.sha256])
        if is_kept(out, SECTION, each.name, encoder=bench.name, key=key):
            continue
        loaded = opened(bench.spec)
        images = image_vectors(loaded, bench.cache.features(each.images))
        texts = text_vectors(loaded, each.texts, log=log, label=f"texts of {each.name}, {bench.name}")
        ranks = ranks_both_ways(images, texts, each.pairs)
        columns = {
            "way": [_WAYS[0]] * len(ranks.images) + [_WAYS[1]] * len(ranks.texts),
            "item": [item.id for item in each.images] + [sha256_json(text)[:16] for text in each.texts],
            "group": [*each.image_groups, *each.text_groups],
            "num_right": [*each.num_right(0).tolist(), *each.num_right(1).tolist()],
            "rank": [*ranks.images.tolist(), *ranks.texts.tolist()],
        }
        about = {"notes": pair_notes(each), "at": config.at}
        write_kept(out, Kept(SECTION, each.name, bench.name, key, digest, each.sha256, columns, about))


def retrieval_measures(kept: Kept, *, seed: int) -> list[Measure]:
    """R@k and median ranks of a kept table."""
    way = np.asarray(kept.columns["way"])
    rows = [np.flatnonzero(way == name) for name in _WAYS]
    rank, num_right = (np.asarray(kept.columns[name], dtype=np.int64) for name in ("rank", "num_right"))
    groups = [tuple(kept.columns["group"][row] for row in of_way) for of_way in rows]
    return measure_ranks(
        Ranks(rank[rows[0]], rank[rows[1]]),
        groups=(groups[0], groups[1]),
        num_right=(num_right[rows[0]], num_right[rows[1]]),
        ks=kept.about["at"],
        notes=tuple(kept.about["notes"]),
        seed=seed,
    )

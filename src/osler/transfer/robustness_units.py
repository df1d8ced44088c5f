"""Robustness units: one encoder and set each: features of corrupted test images, and what a clean probe says of them.

Features are kept by condition (a corruption at a severity), so a run that was cut loses no finished condition; what the
probe said is kept in one table.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.catalog import CORRUPTIONS, PROBES
from osler.core.files import sha256_json
from osler.core.log import Log
from osler.curate.executor import Executor, work_on
from osler.transfer.corrupted import CorruptedResize
from osler.transfer.corruption import fitting
from osler.transfer.features import JOB_IMAGES, FeatureCache, Job, run_job
from osler.transfer.image_set import ImageSet, Item
from osler.transfer.kept import Kept, is_kept, write_kept
from osler.transfer.leaks import SetLeaks
from osler.transfer.measure import Measure
from osler.transfer.probe import Draw, Part
from osler.transfer.protocol import TransferProtocol
from osler.transfer.robustness import CLEAN, Condition, Judged, measure_robustness
from osler.transfer.section_hash import section_sha256
from osler.transfer.sections import RobustnessConfig
from osler.transfer.splits import Split
from osler.transfer.units import Bench, make_draw, seed_split

SECTION = "robustness"
_PROBE = "linear"


@dataclass(frozen=True, eq=False)
class SetPlan:
    """What is asked of one set.

    rows: places of the test items. groups: theirs, images that show one picture in one. conditions: CLEAN first.
    """

    image_set: ImageSet
    split: Split
    rows: np.ndarray
    groups: tuple[str, ...]
    conditions: tuple[Condition, ...]

    @property
    def items(self) -> list[Item]:
        """The test items."""
        return [self.image_set.items[row] for row in self.rows]

    def settings(self, config: RobustnessConfig) -> dict[str, Any]:
        """What the numbers of this set depend on besides the protocol."""
        strengths = {name: CORRUPTIONS.load(name).strengths for name, _ in self.conditions if name}
        return {
            "version": config.version,
            "strengths": strengths,
            "severities": sorted({severity for _, severity in self.conditions}),
            "picture_px": config.picture_px,
            "max_images": config.max_images,
            "seed": config.seed,
        }


def set_plans(
    config: RobustnessConfig, sets: Sequence[ImageSet], leaks: Mapping[str, SetLeaks], *, protocol: TransferProtocol
) -> tuple[SetPlan, ...]:
    """The plans of the sets to corrupt."""
    plans = []
    for each in sets:
        if config.sets is not None and each.name not in config.sets:
            continue
        split = seed_split(each, protocol.seeds[0], protocol=protocol, leaks=leaks[each.name])
        names = config.corruptions or fitting(config.modality.get(each.name, each.modality))
        conditions = [(name, severity) for name in names for severity in sorted(config.severities)]
        rows, groups = _chosen(each, split.test, config.max_images), leaks[each.name].groups(each)
        plans.append(SetPlan(each, split, rows, tuple(groups[row] for row in rows), (CLEAN, *conditions)))
    return tuple(plans)


def extract_corrupted(
    bench: Bench, plans: Sequence[SetPlan], *, config: RobustnessConfig, executor: Executor, log: Log
) -> bool:
    """Fill the caches of every condition; True where all are there, False where other ranks have yet to do theirs."""
    waiting: list[tuple[Job, FeatureCache]] = []
    for plan in plans:
        for condition in plan.conditions:
            cache = _cache(bench, condition, config)
            cache.refresh()
            missing = sorted(cache.lacks(plan.items), key=lambda item: item.key)
            for start in range(0, len(missing), JOB_IMAGES):
                part = tuple(missing[start : start + JOB_IMAGES])
                waiting.append((_job(bench, cache, part, condition, config), cache))
    # By a hash of the job, so that the ranks of an array agree on who does what whatever is there already.
    mine = [job for job, _ in waiting if _number(job) % executor.world == executor.rank]
    total = sum(len(job.items) for job in mine)
    label = f"corrupted images, {bench.name}"
    for _ in log.progress(_counted(work_on(executor, run_job, mine)), label, total=total, unit="images"):
        pass
    return all(_is_whole(job, cache) for job, cache in waiting)


def run_robustness(
    bench: Bench, plans: Sequence[SetPlan], *, config: RobustnessConfig, protocol: TransferProtocol, out: Path, log: Log
) -> None:
    """Ask the probe about every condition of every set, unless it was done."""
    for plan in log.progress(plans, f"robustness {bench.name}", unit="sets"):
        image_set = plan.image_set
        digest = section_sha256(protocol, SECTION, plan.settings(config))
        ids = sha256_json([[item.id, item.key, item.labels] for item in plan.items])
        asked = sha256_json([ids, plan.groups])
        learned = [image_set.items[row].key for row in np.concatenate([plan.split.train, plan.split.validation])]
        key = sha256_json([digest, bench.weights_sha256, asked, learned])
        if is_kept(out, SECTION, image_set.name, encoder=bench.name, key=key):
            continue
        said = _asked(bench, plan, config, protocol)
        count = len(plan.rows)
        columns = {
            "corruption": [name for name, _ in plan.conditions for _ in range(count)],
            "severity": [severity for _, severity in plan.conditions for _ in range(count)],
            "item": [item.id for item in plan.items] * len(plan.conditions),
            "group": list(plan.groups) * len(plan.conditions),
            "gold": [list(item.labels) for item in plan.items] * len(plan.conditions),
            "probabilities": list(said.reshape(-1, said.shape[-1]).astype(np.float32)),
        }
        about = {
            "is_multi_label": image_set.is_multi_label,
            "threshold": protocol.scores.threshold,
            "num_resamples": protocol.scores.num_resamples,
            "kinds": {name: CORRUPTIONS.load(name).kind for name, _ in plan.conditions if name},
        }
        write_kept(out, Kept(SECTION, image_set.name, bench.name, key, digest, ids, columns, about))


def robustness_measures(kept: Kept, *, seed: int) -> list[Measure]:
    """Scores and relative robustness of a kept table."""
    columns, about = kept.columns, kept.about
    conditions = list(dict.fromkeys(zip(columns["corruption"], columns["severity"], strict=True)))
    count = len(columns["item"]) // len(conditions)
    tables = np.asarray(columns["probabilities"], np.float64).reshape(len(conditions), count, -1)
    gold = columns["gold"][:count]
    if about["is_multi_label"]:
        truth = np.zeros((count, tables.shape[2]), dtype=bool)
        for row, labels in enumerate(gold):
            truth[row, labels] = True
    else:
        truth = np.asarray([labels[0] for labels in gold], dtype=np.int64)
    judged = Judged(truth, tuple(columns["group"][:count]), dict(zip(conditions, tables, strict=True)))
    return measure_robustness(
        judged, about["kinds"], threshold=about["threshold"], seed=seed, num_resamples=about["num_resamples"]
    )


def corrupted_resize(bench: Bench, condition: Condition, config: RobustnessConfig) -> CorruptedResize:
    """How pictures are shown to an encoder under a condition."""
    return CorruptedResize(bench.job.resize, config.picture_px, *condition, seed=config.seed)


def _asked(bench: Bench, plan: SetPlan, config: RobustnessConfig, protocol: TransferProtocol) -> np.ndarray:
    """Probabilities [conditions, items, classes] of a probe that learned from clean images."""
    clean = make_draw(bench, plan.image_set, plan.split, seed=protocol.seeds[0])
    caches = [_cache(bench, condition, config) for condition in plan.conditions]
    for cache in caches:
        cache.refresh()
    features = np.concatenate([cache.features(plan.items) for cache in caches])
    draw: Draw = replace(clean, test=Part(features, clean.test.targets, np.tile(plan.rows, len(plan.conditions))))
    answers = PROBES.load(_PROBE).run(draw, protocol.options(_PROBE))[""]
    return np.asarray(answers.probabilities).reshape(len(plan.conditions), len(plan.rows), -1)


def _cache(bench: Bench, condition: Condition, config: RobustnessConfig) -> FeatureCache:
    """The features of one encoder under one condition, beside those of clean images."""
    name, severity = condition
    strength = CORRUPTIONS.load(name).strengths[severity - 1] if name else 0.0
    parts = [bench.cache.folder.name, config.version, config.picture_px, name, strength, severity, config.seed]
    return FeatureCache(bench.cache.folder.parent, sha256_json(parts))


def _job(
    bench: Bench, cache: FeatureCache, items: tuple[Item, ...], condition: Condition, config: RobustnessConfig
) -> Job:
    return replace(bench.job, resize=corrupted_resize(bench, condition, config), items=items, folder=cache.folder)


def _number(job: Job) -> int:
    return int.from_bytes(hashlib.sha256(f"{job.folder.name} {job.items[0].key}".encode()).digest()[:8])


def _is_whole(job: Job, cache: FeatureCache) -> bool:
    cache.refresh()
    return not cache.lacks(job.items)


def _counted(sizes: Iterator[int]) -> Iterator[int]:
    for size in sizes:
        yield from range(size)


def _chosen(image_set: ImageSet, rows: np.ndarray, limit: int | None) -> np.ndarray:
    """At most `limit` of `rows`, by a hash of the pictures, with first labels in proportion; in their order."""
    if limit is None or len(rows) <= limit:
        return rows
    by_class: dict[tuple[int, ...], list[int]] = {}
    for row in sorted(rows.tolist(), key=lambda row: image_set.items[row].key):
        by_class.setdefault(image_set.items[row].labels[:1], []).append(row)
    ranked = [
        ((place + 0.5) / len(of_class), image_set.items[row].key, row)
        for of_class in by_class.values()
        for place, row in enumerate(of_class)
    ]
    return np.asarray(sorted(row for _, _, row in sorted(ranked)[:limit]), dtype=np.int64)

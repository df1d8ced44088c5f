"""Units: one encoder, set, probe and seed each, with its predictions in its own file; a finished one is kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.catalog import PROBES
from osler.core.log import Log
from osler.scoring.encoders.runs import Answered, Run, read_run, write_run
from osler.transfer.features import EncoderSpec, FeatureCache, Job, opened
from osler.transfer.image_set import ImageSet
from osler.transfer.leaks import SetLeaks
from osler.transfer.pictures import batches
from osler.transfer.probe import Answers, Draw, Part, Probe
from osler.transfer.protocol import TransferProtocol, protocol_sha256
from osler.transfer.splits import Split, split_set

_HELD_BYTES = 1 << 30


@dataclass(frozen=True)
class Bench:
    """An encoder with its features, and what it takes to train it: `job` says how its pixels are made.

    without_text: why it reads no words; "" where it does.
    """

    name: str
    spec: EncoderSpec
    weights_sha256: str
    cache: FeatureCache
    job: Job
    without_text: str = ""


@dataclass(frozen=True, eq=False)
class Tuned:
    """What a probe that trains the tower gets.

    loaded: the encoder as it was opened, whose weights must stay as they are. pixels: of a set's items, by place.
    batch_size, device: as for extraction.
    """

    loaded: Any
    pixels: Callable[[np.ndarray], np.ndarray]
    batch_size: int
    device: str


def run_units(
    bench: Bench,
    sets: Sequence[ImageSet],
    leaks: Mapping[str, SetLeaks],
    *,
    protocol: TransferProtocol,
    probes: Sequence[str],
    out: Path,
    log: Log,
) -> None:
    """Run what is not there yet of an encoder's units."""
    units = [(each, name, seed) for each in sets for name in probes for seed in protocol.seeds]
    held: list[Seen] = []
    for image_set, name, seed in log.progress(units, f"probes {bench.name}", unit="probes"):
        shell = empty_run(bench, image_set, name, seed=seed, protocol=protocol)
        if (out / shell.name).is_file() and is_same_run(read_run(out / shell.name), shell):
            continue
        if not held or held[0].image_set is not image_set:
            held = [Seen(bench, image_set)]
        split = seed_split(image_set, seed, protocol=protocol, leaks=leaks[image_set.name])
        probe: Probe = PROBES.load(name)
        options = protocol.options(name)
        options = probe.config.parse(options) if isinstance(options, dict) else options
        given = probe.run(held[0].draw(split, seed), options)
        scores = protocol.scores.model_dump(mode="json")
        own = leaks[image_set.name]
        write_run(out, answered_run(shell, given, image_set, split=split, leaks=own, scores=scores))


class Seen:
    """A set as one encoder sees it: features at once, pixels when they are first asked for, where they fit."""

    def __init__(self, bench: Bench, image_set: ImageSet) -> None:
        self.bench, self.image_set = bench, image_set
        self.features = bench.cache.features(image_set.items)
        self.targets = image_set.targets()
        self._pixels: np.ndarray | None = None

    def draw(self, split: Split, seed: int) -> Draw:
        """What a probe sees: features and truth of train and validation, features of test."""
        return Draw(
            set_name=self.image_set.name,
            num_classes=len(self.image_set.classes),
            is_multi_label=self.image_set.is_multi_label,
            seed=seed,
            train=self._part(split.train),
            validation=self._part(split.validation),
            test=Part(self.features[split.test], self.targets[:0], split.test),
            tower=self.tuned,
        )

    def _part(self, rows: np.ndarray) -> Part:
        return Part(self.features[rows], self.targets[rows], rows)

    def tuned(self) -> Tuned:
        """For probes that train the tower."""
        job = self.bench.job
        return Tuned(opened(self.bench.spec), self.pixels, job.batch_size, job.spec.device)

    def pixels(self, rows: np.ndarray) -> np.ndarray:
        """uint8 [B, H, W, 3]."""
        if len(self.image_set.items) * 3 * self.bench.job.resize.image_px**2 > _HELD_BYTES:
            return self._read(rows)
        if self._pixels is None:
            self._pixels = self._read(np.arange(len(self.image_set.items)))
        return self._pixels[rows]

    def _read(self, rows: np.ndarray) -> np.ndarray:
        job = self.bench.job
        items = [self.image_set.items[row] for row in rows]
        shown = batches(items, job.resize, batch_size=job.batch_size, num_threads=job.num_threads)
        return np.concatenate([pixels for _, pixels in shown])


def seed_split(image_set: ImageSet, seed: int, *, protocol: TransferProtocol, leaks: SetLeaks) -> Split:
    """The parts of a set under a seed, as the protocol says."""
    rule = protocol.splits
    copies = leaks.copies() if rule.join_duplicates else ()
    return split_set(image_set, seed, validation_share=rule.validation_share, test_share=rule.test_share, copies=copies)


def make_draw(bench: Bench, image_set: ImageSet, split: Split, *, seed: int) -> Draw:
    """What a probe sees of a set that is looked at once."""
    return Seen(bench, image_set).draw(split, seed)


def empty_run(
    bench: Bench, image_set: ImageSet, probe: str, *, seed: int, protocol: TransferProtocol, digest: str = ""
) -> Run:
    """A run without answers: what it is of and by which protocol; `digest` where the hash is of more than that."""
    return Run(
        encoder=bench.name,
        set_name=image_set.name,
        probe=probe,
        seed=seed,
        classes=image_set.classes,
        is_multi_label=image_set.is_multi_label,
        protocol_sha256=digest or protocol_sha256(protocol),
        answers={},
        about={
            "weights_sha256": bench.weights_sha256,
            "items_sha256": image_set.sha256,
            "scores": protocol.scores.model_dump(mode="json"),
        },
    )


def is_same_run(found: Run, shell: Run) -> bool:
    """Whether a kept run is of the same images, weights and hash."""
    keys = ("weights_sha256", "items_sha256")
    return found.protocol_sha256 == shell.protocol_sha256 and all(found.about.get(k) == shell.about[k] for k in keys)


def answered_run(
    shell: Run,
    given: Mapping[str, Answers],
    image_set: ImageSet,
    *,
    split: Split,
    leaks: SetLeaks,
    scores: dict[str, Any],
    is_learned: bool = True,
) -> Run:
    """`shell` with the answers, by variant, to the test part of `split`.

    Images that show one picture are one group. Where nothing was learned, no image was seen before.
    """
    targets, groups = image_set.targets(), leaks.groups(image_set)
    flags = leaks.flags(image_set, split) if is_learned else ("",) * len(split.test)
    items = [image_set.items[row] for row in split.test]
    answers = {
        variant: Answered(
            items=tuple(item.id for item in items),
            groups=tuple(groups[row] for row in split.test),
            gold=targets[split.test],
            probabilities=np.asarray(each.probabilities, np.float32),
            flags=flags,
        )
        for variant, each in given.items()
    }
    counts = {"train": len(split.train), "validation": len(split.validation), "test": len(split.test)}
    facts = {variant: dict(each.facts) for variant, each in given.items()}
    about = {**shell.about, "images": counts, "majority": _majority(targets[split.train])}
    return replace(shell, answers=answers, facts=facts, about=about)


def _majority(targets: np.ndarray) -> list[int]:
    """The most frequent class of training; of a multi-label set the labels that more than half of its images have."""
    if targets.ndim == 1:
        return [int(np.bincount(targets).argmax())]
    return np.flatnonzero(targets.mean(axis=0) > 0.5).tolist()

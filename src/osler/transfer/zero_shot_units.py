"""Zero-shot units: one encoder, set and seed each, kept among the predictions of the probes and scored like them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.log import Log
from osler.schema.result import Result
from osler.scoring.encoders.metrics import measured as value_of
from osler.scoring.encoders.runs import Answered, Run, read_run, write_run
from osler.transfer.features import opened
from osler.transfer.image_set import ImageSet
from osler.transfer.joint import image_vectors, text_vectors
from osler.transfer.leaks import SetLeaks
from osler.transfer.probe import Answers
from osler.transfer.prompts import Prompts, make_prompts
from osler.transfer.protocol import TransferProtocol, protocol_sha256
from osler.transfer.section_hash import section_sha256
from osler.transfer.sections import ZeroShotConfig
from osler.transfer.units import Bench, answered_run, empty_run, is_same_run, seed_split
from osler.transfer.zero_shot import Directions, class_directions, probabilities, template_probabilities

PROBE = "zero_shot"
RANGE = "macro_f1_prompt_range"


def zero_shot_prompts(config: ZeroShotConfig, sets: Sequence[ImageSet]) -> dict[str, Prompts]:
    """The prompts of the sets to classify. Raises InputError where they do not fit a set's classes."""
    found = {}
    for each in sets:
        if config.sets is None or each.name in config.sets:
            said = config.prompts.get(each.name)
            declared = said.model_dump() if said is not None else {}
            found[each.name] = make_prompts(each.name, each.classes, modality=each.modality, **declared)
    return found


def run_zero_shot(
    bench: Bench,
    sets: Sequence[ImageSet],
    leaks: Mapping[str, SetLeaks],
    *,
    prompts: Mapping[str, Prompts],
    protocol: TransferProtocol,
    out: Path,
    log: Log,
) -> None:
    """Classify the test part of every seed, unless it is there."""
    chosen = [each for each in sets if each.name in prompts]
    digest = section_sha256(protocol, PROBE, {name: _settings(each) for name, each in prompts.items()})
    for image_set in log.progress(chosen, f"zero-shot {bench.name}", unit="sets"):
        asked = prompts[image_set.name]
        shells = [
            _shell(empty_run(bench, image_set, PROBE, seed=seed, protocol=protocol, digest=digest), protocol)
            for seed in protocol.seeds
        ]
        missing = [run for run in shells if not _is_there(out, run)]
        if not missing:
            continue
        loaded = opened(bench.spec)
        directions = class_directions(partial(text_vectors, loaded), asked, is_multi_label=image_set.is_multi_label)
        images = image_vectors(loaded, bench.cache.features(image_set.items))
        for shell in missing:
            split = seed_split(image_set, shell.seed, protocol=protocol, leaks=leaks[image_set.name])
            given = _answers(
                images[split.test],
                image_set,
                split.test,
                directions=directions,
                prompts=asked,
                scale=loaded.logit_scale,
                protocol=protocol,
            )
            own, scores = leaks[image_set.name], protocol.scores.model_dump(mode="json")
            run = answered_run(shell, {"": given}, image_set, split=split, leaks=own, scores=scores, is_learned=False)
            write_run(out, run)


def zero_shot_results(runs: Sequence[Run]) -> list[Result]:
    """How far the macro-F1 of single templates lies apart, by set and encoder: a mean over seeds."""
    by_unit: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        if run.probe == PROBE:
            by_unit.setdefault((run.set_name, run.encoder), []).append(run)
    return [_range(each) for each in by_unit.values()]


def _range(runs: Sequence[Run]) -> Result:
    first, facts = runs[0], [run.facts[""] for run in runs]
    templates = facts[0]["templates"]
    means = np.mean([each["macro_f1"] for each in facts], axis=0)
    best, worst = int(means.argmax()), int(means.argmin())
    items = {item for run in runs for item in run.answers[""].items}
    groups = {group for run in runs for group in run.answers[""].groups}
    listed = "; ".join(f"{text!r} {value:.3f}" for text, value in zip(templates, means.tolist(), strict=True))
    return Result(
        task=f"{first.set_name}/{PROBE}",
        task_version=first.protocol_sha256[:12],
        metric=RANGE,
        metric_signature=f"{RANGE}|best-minus-worst-template|mean-over-seeds:{len(runs)}|v:1",
        value=float(means[best] - means[worst]),
        ci_method=f"none: a range over {len(templates)} templates",
        n=len(items),
        n_clusters=len(groups),
        unparsed=0,
        model=first.encoder,
        dataset_ids_sha256=facts[0]["prompts_sha256"],
        protocol_sha256=first.protocol_sha256,
        notes=(f"macro-F1 by single templates: {listed}",),
    )


def _shell(run: Run, protocol: TransferProtocol) -> Run:
    """`run`, which is under the section's hash, with that of the protocol alone beside it."""
    return replace(run, about={**run.about, "base_sha256": protocol_sha256(protocol)})


def _answers(
    images_NE: np.ndarray,
    image_set: ImageSet,
    rows: np.ndarray,
    *,
    directions: Directions,
    prompts: Prompts,
    scale: float | None,
    protocol: TransferProtocol,
) -> Answers:
    threshold = protocol.scores.threshold
    by_template = [
        value_of("macro_f1", _answered(image_set, rows, table), threshold=threshold)
        for table in template_probabilities(images_NE, directions, scale=scale)
    ]
    facts = {
        "templates": list(prompts.templates),
        "macro_f1": by_template,
        "logit_scale": scale,
        "prompts_sha256": section_sha256(protocol, PROBE, _settings(prompts)),
    }
    return Answers(probabilities(images_NE, directions, scale=scale), facts)


def _answered(image_set: ImageSet, rows: np.ndarray, table: np.ndarray) -> Answered:
    names = tuple(image_set.items[row].id for row in rows)
    return Answered(names, names, image_set.targets()[rows], table, ("",) * len(names))


def _settings(prompts: Prompts) -> dict[str, Any]:
    return {"templates": prompts.templates, "words": dict(prompts.words), "absent": prompts.absent}


def _is_there(out: Path, run: Run) -> bool:
    return (out / run.name).is_file() and is_same_run(read_run(out / run.name), run)

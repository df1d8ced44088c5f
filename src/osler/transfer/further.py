"""Further measurements: what a recipe asks of encoders beside the probes: sections that are opened, run and scored.

zero_shot      one file of predictions for each encoder, set and seed, among those of the probes
retrieval, robustness, understanding    one kept table for each encoder and set or store (`kept.py`)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import InputError
from osler.core.log import Log
from osler.curate.executor import Executor
from osler.schema.result import Result
from osler.scoring.encoders.runs import FOLDER, read_runs
from osler.transfer.caption_pairs import Pairs
from osler.transfer.image_set import ImageSet, Item
from osler.transfer.kept import FOLDER as KEPT
from osler.transfer.kept import Kept, read_kept
from osler.transfer.leaks import SetLeaks
from osler.transfer.measure import Measure
from osler.transfer.prompts import Prompts
from osler.transfer.protocol import Protocol
from osler.transfer.retrieval_units import SECTION as RETRIEVAL
from osler.transfer.retrieval_units import retrieval_measures, retrieval_pairs, run_retrieval
from osler.transfer.robustness_units import SECTION as ROBUSTNESS
from osler.transfer.robustness_units import (
    SetPlan,
    corrupted_resize,
    extract_corrupted,
    robustness_measures,
    run_robustness,
    set_plans,
)
from osler.transfer.sections import Sections
from osler.transfer.sheet import FOLDER as SHEETS
from osler.transfer.sheet import write_sheet
from osler.transfer.understanding_units import SECTION as UNDERSTANDING
from osler.transfer.understanding_units import Films, read_films, run_understanding, understanding_measures
from osler.transfer.units import Bench
from osler.transfer.zero_shot_units import run_zero_shot, zero_shot_prompts, zero_shot_results

_NEED_WORDS = ("zero_shot", "retrieval")


@dataclass(frozen=True, eq=False)
class Further:
    """The sections of a recipe with what they read: prompts by set, pairs, plans of corruption, films."""

    sections: Sections
    protocol: Protocol
    sets: tuple[ImageSet, ...]
    leaks: Mapping[str, SetLeaks]
    prompts: Mapping[str, Prompts]
    pairs: tuple[Pairs, ...]
    plans: tuple[SetPlan, ...]
    films: Films | None

    @property
    def items(self) -> list[Item]:
        """Images beside those of the sets of which clean features are needed."""
        found = [item for pairs in self.pairs for item in pairs.images]
        return found + (self.films.items if self.films is not None else [])


def section_paths(sections: Sections) -> list[Path]:
    """What sections read beside the sets: the indexes of stores."""
    stores = [store.shards for store in sections.retrieval.stores] if sections.retrieval is not None else []
    if sections.understanding is not None:
        stores.append(sections.understanding.shards)
    return [folder / "index" for folder in stores]


def open_sections(
    sections: Sections, sets: Sequence[ImageSet], leaks: Mapping[str, SetLeaks], *, protocol: Protocol
) -> Further:
    """Read what the sections need. Raises InputError where it does not fit, before an image is encoded."""
    return Further(
        sections=sections,
        protocol=protocol,
        sets=tuple(sets),
        leaks=leaks,
        prompts=zero_shot_prompts(sections.zero_shot, sets) if sections.zero_shot is not None else {},
        pairs=retrieval_pairs(sections.retrieval) if sections.retrieval is not None else (),
        plans=set_plans(sections.robustness, sets, leaks, protocol=protocol) if sections.robustness is not None else (),
        films=read_films(sections.understanding) if sections.understanding is not None else None,
    )


def check_encoders(sections: Sections, benches: Sequence[Bench], log: Log) -> None:
    """Say which encoders a section leaves out for want of a text tower.

    Raises:
        InputError: the recipe names such an encoder for a section that needs one, or has no other.
    """
    without = {bench.name: bench.without_text for bench in benches if bench.without_text}
    for name in _NEED_WORDS:
        section = getattr(sections, name)
        if section is None:
            continue
        named = [encoder for encoder in section.encoders or () if encoder in without]
        if named or len(without) == len(benches):
            first = named[0] if named else benches[0].name
            raise InputError(
                f"{name} needs an encoder that reads words",
                expected="an encoder with a text tower, such as clip",
                got=f"{first}: {without[first]}",
                fix=f"Name others in {name}.encoders, or remove the section {name}.",
            )
        if section.encoders is None:
            for encoder, reason in without.items():
                log.info(f"{name} leaves {encoder} out: {reason}")


def extract_further(further: Further, bench: Bench, *, executor: Executor, log: Log) -> bool:
    """Features of corrupted images; True where all are there."""
    config = further.sections.robustness
    if config is None or not _is_asked(config.encoders, bench):
        return True
    return extract_corrupted(bench, further.plans, config=config, executor=executor, log=log)


def run_further(further: Further, bench: Bench, *, out: Path, log: Log) -> None:
    """Run the sections for one encoder; what is there already is not done again."""
    sections, protocol = further.sections, further.protocol
    if sections.zero_shot is not None and _reads_words(sections.zero_shot.encoders, bench):
        run_zero_shot(
            bench, further.sets, further.leaks,
            prompts=further.prompts, protocol=protocol, out=out / FOLDER, log=log,
        )  # fmt: skip
    if sections.retrieval is not None and _reads_words(sections.retrieval.encoders, bench):
        run_retrieval(bench, further.pairs, config=sections.retrieval, protocol=protocol, out=out, log=log)
    if sections.robustness is not None and _is_asked(sections.robustness.encoders, bench):
        run_robustness(bench, further.plans, config=sections.robustness, protocol=protocol, out=out, log=log)
    config = sections.understanding
    if config is not None and further.films is not None and _is_asked(config.encoders, bench):
        run_understanding(bench, further.films, config=config, protocol=protocol, out=out, log=log)


def write_sheets(further: Further, bench: Bench, out: Path) -> None:
    """A contact sheet for each set that is corrupted, as no encoder changes it: of its first test image by hash."""
    config = further.sections.robustness
    for plan in further.plans if config is not None and config.sheet else ():
        path = out / SHEETS / f"{plan.image_set.name}.jpg"
        if path.is_file() or config is None:
            continue
        item = min(plan.items, key=lambda item: item.key)
        data = item.read()
        shown = {c: corrupted_resize(bench, c, config).picture(data, item.window) for c in plan.conditions}
        write_sheet(path, plan.conditions, shown.__getitem__)


def further_results(out: Path, *, protocol: Protocol) -> list[Result]:
    """The records of every section, made from what was kept."""
    seed = protocol.scores.seed
    results = zero_shot_results(read_runs(out))
    for path in sorted((out / KEPT).rglob("*.parquet")):
        kept = read_kept(path)
        results += [_result(kept, measure) for measure in _measures(kept, seed)]
    return results


def _measures(kept: Kept, seed: int) -> list[Measure]:
    if kept.section == RETRIEVAL:
        return retrieval_measures(kept, seed=seed)
    if kept.section == ROBUSTNESS:
        return robustness_measures(kept, seed=seed)
    if kept.section == UNDERSTANDING:
        return understanding_measures(kept)
    raise InputError(f"no section {kept.section!r}", fix="Remove its folder below sections/ and run again.")


def _result(kept: Kept, measure: Measure) -> Result:
    found = measure.estimate
    return Result(
        task=f"{kept.name}/{measure.task}",
        task_version=kept.protocol_sha256[:12],
        metric=measure.metric,
        metric_signature=measure.signature,
        value=found.value,
        ci_low=found.low,
        ci_high=found.high,
        ci_method=found.method,
        n=measure.n,
        n_clusters=measure.n_clusters,
        unparsed=0,
        baseline=measure.baseline,
        model=kept.encoder,
        dataset_ids_sha256=kept.ids_sha256,
        protocol_sha256=kept.protocol_sha256,
        notes=measure.notes,
    )


def _is_asked(names: Sequence[str] | None, bench: Bench) -> bool:
    return names is None or bench.name in names


def _reads_words(names: Sequence[str] | None, bench: Bench) -> bool:
    return _is_asked(names, bench) and not bench.without_text

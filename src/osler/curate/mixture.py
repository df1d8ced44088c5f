"""Mixture: which samples of each set a mix takes, for what use, and how often each set is to be drawn."""

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from osler.core.errors import InputError
from osler.core.files import write_json
from osler.curate.drops import Tally
from osler.datasets.dataset import Draft
from osler.schema.licence import licence_of, why_not
from osler.schema.sample import Sample
from osler.store.mixture import size_weights
from osler.store.reader import Store, record_starts

FILE = "mixture.json"
VERSION = 1
LeftOut = tuple[str, str]
"""The rule that leaves a sample out, and its reason; counted by the words before the reason's first colon."""


@dataclass(frozen=True)
class Filter:
    """What a sample must be; None asks nothing. licences: ids, one without a version stands for all versions.

    permits: what the sample's own licence must permit. languages: of the tag `lang:xx`, else of the dataset.
    any_tag: it has at least one of these.
    """

    licences: tuple[str, ...] | None = None
    permits: tuple[str, ...] = ()
    modalities: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    any_tag: tuple[str, ...] | None = None

    def left_out(self, sample: Sample, language: str) -> LeftOut | None:
        """Why a sample is not taken; None where it is."""
        stated = sample.provenance.licence if sample.provenance else ""
        if self.licences is not None and not is_among(licence_of(stated).id, self.licences):
            return "filters", f"licence not chosen: {stated or 'none stated'}"
        for use in self.permits:
            if reason := why_not(use, stated):
                return "filters", f"licence does not permit {use}: {reason}"
        if self.modalities is not None and sample.modality not in self.modalities:
            return "filters", f"modality not chosen: {sample.modality}"
        if self.languages is not None:
            spoken = next((tag.removeprefix("lang:") for tag in sample.tags if tag.startswith("lang:")), language)
            if spoken not in self.languages:
                return "filters", f"language not chosen: {spoken}"
        if self.any_tag is not None and not set(self.any_tag) & set(sample.tags):
            return "filters", f"tag not chosen: none of {', '.join(self.any_tag)}"
        return None


@dataclass(frozen=True)
class Choice:
    """Which samples of one split of a dataset are taken.

    tags: a sample has all of them. use: what each sample's own licence must permit, "" asks nothing.
    cap: take this many of those that are left, the same ones for one `seed` whatever their order; None takes all.
    """

    tags: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    language: str = "en"
    use: str = ""
    cap: int | None = None
    seed: int = 0

    def left_out(self, draft: Draft) -> LeftOut | None:
        """Why a draft is not taken, its cap aside; None where it is."""
        sample = draft.sample
        if sample is None:
            return "adapter", draft.skip
        if missing := [tag for tag in self.tags if tag not in sample.tags]:
            return "select_tags", f"tag not selected: lacks {', '.join(missing)}"
        origin = sample.provenance
        if self.use and origin and (reason := why_not(self.use, origin.licence, origin.access)):
            return "use", reason
        return next((found for each in self.filters if (found := each.left_out(sample, self.language))), None)


@dataclass(frozen=True)
class Terms:
    """What the declared use is checked against. agreement: what permits it to the user beside the published terms."""

    name: str
    licence: str
    access: Any
    agreement: str = ""

    def forbidden(self, use: str) -> str:
        """Why the set as a whole must not be used so; "" where it may."""
        if self.agreement:
            return why_not(use, "CC0-1.0", self.access)
        return why_not(use, self.licence, self.access)


@dataclass(frozen=True)
class Stated:
    """How often a recipe wants a set: `weight` in samples, or `epochs`; with neither, once."""

    weight: float | None = None
    epochs: float | None = None


@dataclass(frozen=True)
class Mix:
    """What a recipe declares of its mix as a whole.

    left_out: sets that its stages leave out, with the reason. stored_splits: by set and published split, under which
    one its samples are stored where that is another.
    """

    use: str
    sets: tuple[Terms, ...]
    stated: Mapping[str, Stated]
    temperature: float = 1.0
    left_out: Mapping[str, str] = field(default_factory=dict)
    stored_splits: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The sets that are read, each once."""
        return tuple(each.name for each in self.sets)


def chosen(read: Callable[[], Iterable[Draft]], choice: Choice) -> Iterator[tuple[Draft, LeftOut | None]]:
    """Every draft with why it is left out, None where it is taken.

    Under a cap the rows are read twice, so that nothing but one number for each of `cap` samples is held: those with
    the lowest hashes of seed and id are taken.
    """
    highest = _highest_taken(read(), choice) if choice.cap is not None else None
    for draft in read():
        left_out = choice.left_out(draft)
        if left_out is None and highest is not None and _lot(draft.id, choice.seed) > highest:
            left_out = ("cap", f"beyond the cap: {choice.cap}")
        yield draft, left_out


def is_among(licence_id: str, chosen_ids: Sequence[str]) -> bool:
    """Whether a licence is one of those chosen; `CC-BY` chooses `CC-BY-4.0` but not `CC-BY-NC`."""
    return any(
        licence_id == each or (licence_id.startswith(f"{each}-") and licence_id[len(each) + 1 :][:1].isdigit())
        for each in chosen_ids
    )


def check_use(use: str, sets: Sequence[Terms]) -> None:
    """Raise InputError that names every set which must not be used so, why, and what can be done."""
    forbidden = [f"{terms.name} ({reason})" for terms in sets if (reason := terms.forbidden(use))]
    if forbidden:
        raise InputError(
            f"{len(forbidden)} of {len(sets)} sets of this mix must not be used for {use}: {'; '.join(forbidden)}",
            fix="Leave them out, declare another `use`, or say under the set's `agreement` what permits it to you, as "
            "in `agreement: {research: ...}`; "
            "no agreement opens a set to `redistribute` that is not of open access.",
        )


def set_weights(sizes: Mapping[str, int], stated: Mapping[str, Stated], *, temperature: float) -> dict[str, float]:
    """The weight of each set that holds a sample, in samples.

    A set's weight w is what is stated, or its epochs times its samples, or its samples. A temperature T makes it
    w^(1/T), scaled so that their sum stays: temperature-scaled mixing as in T5 (arXiv:1910.10683, section 3.5.2)
    and in multilingual translation (arXiv:1907.05019), where 1 keeps the weights and a large T levels them.
    """
    weights: dict[str, float] = {}
    for name, size in sizes.items():
        how = stated.get(name, Stated())
        if size:
            weights[name] = how.weight if how.weight is not None else size * (how.epochs or 1.0)
    if temperature == 1.0 or not weights:
        return weights
    shares = size_weights(weights, exponent=1 / temperature)  # type: ignore[arg-type] # a weight need not be whole
    total = sum(weights.values())
    return {name: total * share for name, share in shares.items()}


def built_mixture(
    store: Store | None, drops: Mapping[tuple[str, str], Mapping[str, int]], mix: Mix
) -> dict[str, dict[str, dict[str, Any]]]:
    """Per split and set of a store: what it holds and how often it is drawn.

    `rows` read = `samples` kept + `dropped` by rule and reason; `drops` has the latter for (set, split).
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, split in sorted(drops):
        found.setdefault(split, {})[name] = {"samples": 0, "records": 0, "licences": {}}
    if store is not None:
        for split in store.splits():
            found.setdefault(split, {}).update(_held(store, split))
    for split, sets in found.items():
        sizes = {name: facts["samples"] for name, facts in sets.items()}
        weights = set_weights(sizes, mix.stated, temperature=mix.temperature)
        total = sum(weights.values())
        for name, facts in sets.items():
            dropped = dict(drops.get((name, split), {}))
            weight = weights.get(name, 0.0)
            facts |= {"rows": facts["samples"] + sum(dropped.values()), "dropped": dropped, "weight": weight}
            # Passes over the set while the mix draws as many samples as its weights add up to.
            facts |= {"share": weight / total if total else 0.0, "epochs": weight / max(1, facts["samples"])}
    return found


def drops_by_set(
    drops: Tally, stored_splits: Mapping[tuple[str, str], str] | None = None
) -> dict[tuple[str, str], dict[str, int]]:
    """How many rows of each set and split were dropped, by `rule: kind of reason`.

    The counts are by the split under which a published one is stored.
    """
    stored_splits = stored_splits or {}
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for (name, split, rule, kind), count in drops.items():
        of_set = counts.setdefault((name, stored_splits.get((name, split), split)), {})
        reason = f"{rule}: {kind}"
        of_set[reason] = of_set.get(reason, 0) + count
    return {key: dict(sorted(value.items())) for key, value in sorted(counts.items())}


def write_mixture(out: Path, mix: Mix, splits: Mapping[str, Mapping[str, Any]]) -> None:
    """Write `mixture.json`: the sets' terms, and `built_mixture`'s facts, whose weights `osler train` reads."""
    sets = {
        each.name: {
            "licence": each.licence,
            "licence_id": licence_of(each.licence).id,
            "access": each.access,
            "agreement": each.agreement,
        }
        for each in mix.sets
    }
    value = {"version": VERSION, "use": mix.use, "temperature": mix.temperature, "sets": sets, "splits": splits}
    write_json(out / FILE, {**value, "left_out": mix.left_out})


def _held(store: Store, split: str) -> dict[str, dict[str, Any]]:
    table = store.table(split)
    names = table["dataset"].value_counts().to_pylist()
    records = table.take(record_starts(table))["dataset"].value_counts().to_pylist()
    num_records = {item["values"]: item["counts"] for item in records}
    held = {}
    for item in sorted(names, key=lambda item: str(item["values"])):
        rows = table.filter(pc.equal(table["dataset"], item["values"]))
        licences = {each["values"]: each["counts"] for each in rows["licence"].value_counts().to_pylist()}
        held[item["values"]] = {
            "samples": item["counts"],
            "records": num_records[item["values"]],
            "licences": dict(sorted(licences.items())),
        }
    return held


def _highest_taken(drafts: Iterable[Draft], choice: Choice) -> int:
    """The highest lot that is among the `cap` lowest of the samples that are not left out otherwise."""
    lowest: list[int] = []
    for draft in drafts:
        if choice.left_out(draft) is not None:
            continue
        lot = -_lot(draft.id, choice.seed)
        if len(lowest) < (choice.cap or 0):
            heapq.heappush(lowest, lot)
        else:
            heapq.heappushpop(lowest, lot)
    return -lowest[0] if lowest else 0


def _lot(id: str, seed: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}\x1f{id}".encode(), digest_size=8).digest(), "big")

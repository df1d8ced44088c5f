"""Figures: the records of a piece, filtered by terms, pixels and words, as cases that can be asked about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from osler.core.errors import InputError
from osler.curate.asking.pictures import shown_picture
from osler.curate.captions import CAPTION_TASKS
from osler.curate.drops import drop
from osler.curate.opened import OpenRecord
from osler.curate.operator import Apply, Operator
from osler.curate.pieces import through_operators
from osler.schema.licence import why_not
from osler.schema.sample import Provenance, Sample, Split
from osler.synth.reasoning.case import Case, Figure
from osler.synth.reasoning.quotes import num_words
from osler.synth.reasoning.rules import Rules

Drop = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Choosing:
    """Which figures are taken.

    use: what their terms must permit. agreement: what permits it to the user where published terms do not.
    operators: of the curation, in order. splits: by article. max_side_px: of a picture as models are shown it.
    """

    use: str
    agreement: str
    operators: Sequence[tuple[Operator, Apply]]
    splits: Mapping[str, Split]
    max_side_px: int


def figure_cases(records: list[OpenRecord], choosing: Choosing, rules: Rules) -> tuple[list[Case], list[Drop]]:
    """A case for each figure that is taken, and a drop for each that is not; terms are asked before a pixel is read."""
    drops: list[Drop] = []
    for record in records:
        faults = {sample.id: _fault(sample, choosing, rules) for sample in record.samples}
        drops += [drop(id, rule, reason) for id, (rule, reason) in faults.items() if reason]
        record.samples = [sample for sample in record.samples if not faults[sample.id][1]]
    kept, dropped = through_operators([record for record in records if record.samples], choosing.operators)
    drops += dropped.to_pylist()
    cases = []
    for record in kept:
        for sample in record.samples:
            try:
                cases.append(_case(sample, record, choosing, rules))
            except InputError as error:
                drops.append(drop(sample.id, "source", f"image unreadable: {error}"))
    return cases, drops


def context_of(sample: Sample, *, max_letters: int) -> str:
    """Caption and paragraphs in order, as many whole ones as there is room for; a caption that is too long is cut."""
    parts = [f"Caption: {sample.answer.text}"[:max_letters]]
    room = max_letters - len(parts[0])
    for mention in sample.mentions:
        room -= len(mention.text) + 2
        if room < 0:
            break
        parts.append(mention.text)
    return "\n\n".join(parts)


def _fault(sample: Sample, choosing: Choosing, rules: Rules) -> tuple[str, str]:
    """The rule that leaves a figure out with its reason; two empty texts where none does."""
    if sample.task not in CAPTION_TASKS:
        return "source", f"no caption: task {sample.task}"
    origin = sample.provenance
    if origin is None:
        return "use", "no provenance, so no licence"
    licence = "CC0-1.0" if choosing.agreement else origin.licence
    if reason := why_not(choosing.use, licence, origin.access):
        return "use", reason
    if len(sample.media) != 1:
        return "source", f"several images: {len(sample.media)}"
    count = num_words(context_of(sample, max_letters=rules.max_context_letters))
    if count < rules.min_context_words:
        return "source", f"too little text: {count} words, limit {rules.min_context_words}"
    return "", ""


def _case(sample: Sample, record: OpenRecord, choosing: Choosing, rules: Rules) -> Case:
    (ref,) = sample.media
    picture = shown_picture(record.files[ref.path] or b"", ref, max_side_px=choosing.max_side_px)
    figure = Figure(
        id=sample.id,
        key=record.planned.key,
        group=sample.group,
        split=choosing.splits[sample.group],
        media=ref,
        modality=sample.modality,
        body_part=sample.body_part,
        provenance=sample.provenance or Provenance(dataset="", record_id="", licence=""),
        context=context_of(sample, max_letters=rules.max_context_letters),
        picture=picture,
    )
    return Case(figure=figure)

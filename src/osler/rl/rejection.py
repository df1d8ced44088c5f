"""Rejection sampling: the best of several replies to a question becomes a sample, best and worst become a pair.

Replies are kept part by part in `replies/`, so a run that was cut draws no part twice.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from osler.core.files import atomic_write, read_jsonl, write_json
from osler.core.log import Log
from osler.core.rng import generator
from osler.curate.drops import drop, drops_table, write_drops
from osler.curate.estimate import estimate_cost
from osler.model.compose import OslerForConditionalGeneration
from osler.rl.grpo import Asking
from osler.rl.preference import FILE, Pair, write_pairs
from osler.rl.questions import Question
from osler.rl.rollout import roll_out
from osler.schema.sample import Sample, passage
from osler.store.record import Blob, StoredRecord, stored_record
from osler.store.shards import write_shard

_RULE = "rejection"


@dataclass(frozen=True)
class Reply:
    """One reply as it is kept: what was said, whether it could be read, and its worth."""

    raw: str
    analysis: str
    final: str
    is_read: bool
    total: float


def draw_replies(
    model: OslerForConditionalGeneration, asking: Asking, out: Path, *, num_replies: int, part_size: int, log: Log
) -> Iterator[list[Reply]]:
    """The replies to each question, in order, drawn once and kept in `out/replies`."""
    starts = range(0, len(asking.questions), part_size)
    for start in log.progress(starts, "draw", unit="parts"):
        path = out / "replies" / f"{start // part_size:05d}.jsonl"
        if not path.is_file():
            numbers = range(start, min(start + part_size, len(asking.questions)))
            questions = [asking.questions[number] for number in numbers]
            found = _draw(model, asking, questions, num_replies=num_replies, part=start // part_size)
            with atomic_write(path, "w") as file:
                file.writelines(json.dumps([vars(reply) for reply in replies]) + "\n" for replies in found)
        yield from ([Reply(**each) for each in line] for line in read_jsonl(path))


def _draw(
    model: OslerForConditionalGeneration, asking: Asking, questions: Sequence[Question], *, num_replies: int, part: int
) -> list[list[Reply]]:
    random = torch.Generator(model.device)
    random.manual_seed(int(generator(asking.seed, "draw", part).integers(2**62)))
    ids = roll_out(model, questions, num_replies=num_replies, drawing=asking.drawing, random=random)
    said = [asking.read(questions[number // num_replies], each) for number, each in enumerate(ids)]
    replies = [
        Reply(each.raw, each.analysis, each.extraction.final, each.extraction.status == "ok", float(scored.total or 0))
        for each, scored in zip(said, asking.panel.score(said), strict=True)
    ]
    return [replies[start : start + num_replies] for start in range(0, len(replies), num_replies)]


@dataclass(frozen=True)
class Harvest:
    """What came of the replies."""

    kept: dict[int, Sample]
    pairs: list[Pair]
    drops: list[dict[str, Any]]


def harvest(asking: Asking, drawn: Iterable[Sequence[Reply]], *, min_reward: float, min_gap: float) -> Harvest:
    """The samples to train on by question number, the pairs, and every question that gave no sample with its reason.

    Of equally good replies the shortest is taken, then the first.
    """
    kept: dict[int, Sample] = {}
    pairs: list[Pair] = []
    drops: list[dict[str, Any]] = []
    for number, replies in enumerate(drawn):
        sample = asking.questions[number].sample
        best = min(replies, key=lambda reply: (-reply.total, len(reply.raw)))
        worst = min(replies, key=lambda reply: reply.total)
        if best.is_read and best.total >= min_reward:
            kept[number] = taught(sample, best)
        else:
            reason = f"no reply is worth enough: the best is worth {best.total:.3f}, less than {min_reward:g}"
            if best.total >= min_reward:
                reason = "no answer can be read in the best reply"
            drops.append(drop(sample.id, _RULE, reason, score=best.total))
        if best.total - worst.total >= min_gap:
            pairs.append(
                Pair(
                    sample_id=sample.id,
                    chosen=best.raw,
                    rejected=worst.raw,
                    chosen_reward=best.total,
                    rejected_reward=worst.total,
                )
            )
    return Harvest(kept, pairs, drops)


def taught(sample: Sample, reply: Reply) -> Sample:
    """The sample with the reply's own thoughts; its answer stays the true one, a longer text becomes the reply's."""
    changes: dict[str, object] = {"reasoning": reply.analysis, "tags": (*sample.tags, "rejection-sampled")}
    if sample.answer.kind == "text":
        changes["answer"] = passage(reply.final)
    return sample.model_copy(update=changes)


def write_harvest(
    asking: Asking,
    found: Harvest,
    out: Path,
    *,
    shard_records: int,
    tile_px: int,
    max_tiles: int,
) -> dict[str, int]:
    """Write `shards/`, `index/`, `pairs.jsonl`, `drops.parquet` and `card.json`; returns counts."""

    def estimate(sample: Sample) -> tuple[int, int]:
        return estimate_cost(sample, tile_px=tile_px, max_tiles=max_tiles)

    by_split: dict[str, list[StoredRecord]] = {}
    for split, record in _records(asking, found.kept):
        by_split.setdefault(split, []).append(record)
    for split, records in sorted(by_split.items()):
        for number, start in enumerate(range(0, len(records), shard_records)):
            write_shard(out, split, number, records=records[start : start + shard_records], estimate=estimate)
    num_pairs = write_pairs(out / FILE, found.pairs)
    write_drops(out / "drops.parquet", drops_table(found.drops))
    reasons = Counter(row["reason"].partition(":")[0] for row in found.drops)
    counts = {
        "questions": len(asking.questions), "samples": len(found.kept), "pairs": num_pairs, "drops": len(found.drops)
    }  # fmt: skip
    write_json(out / "card.json", {**counts, "drops_by_reason": dict(sorted(reasons.items()))})
    return counts


def _records(asking: Asking, kept: dict[int, Sample]) -> Iterator[tuple[str, StoredRecord]]:
    """Records of the kept samples with their files, in stored order, each with its split."""
    questions = asking.questions
    groups: dict[tuple[int, str, str], list[int]] = {}
    rows: dict[int, dict[str, Any]] = {}
    for number in sorted(kept, key=lambda each: questions.places[each]):
        selection_number, index_row = questions.places[number]
        selection = questions.selections[selection_number]
        rows[number] = selection.store.rows(selection.table, [index_row])[0]
        groups.setdefault((selection_number, rows[number]["shard"], rows[number]["key"]), []).append(number)
    for (selection_number, _, key), numbers in groups.items():
        store, row = questions.selections[selection_number].store, rows[numbers[0]]
        files: list[tuple[str, bytes | None]] = [*zip(row["media_names"], store.media(row), strict=True)]
        files += zip(row["mask_names"], store.masks(row), strict=True)
        blobs = {name: Blob(data, name.rpartition(".")[2]) for name, data in files if data is not None}
        named = f"{selection_number}-{key}" if len(questions.selections) > 1 else key
        yield row["split"], stored_record(named, [kept[number] for number in numbers], blobs)

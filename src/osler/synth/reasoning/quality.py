"""Quality: what became of every figure and question, how the set is made up, and what each step asked and cost."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from osler.core.files import write_json
from osler.curate.asking.record import read_asked
from osler.curate.drops import FILE as DROPS_FILE
from osler.endpoint.served import Endpoint
from osler.schema.sample import LETTERS, Sample
from osler.store.reader import Store
from osler.synth.reasoning.case import figure_of
from osler.synth.reasoning.quotes import num_words
from osler.synth.reasoning.rules import Rules
from osler.synth.reasoning.steps import STEPS
from osler.synth.reasoning.taxonomy import FAMILY_OF
from osler.synth.reasoning.trace_checks import AXES

FILE = "quality.json"


def made_store(out: Path) -> Store | None:
    """The shards under `out`; None where no sample was accepted."""
    return Store(out) if any((out / "index").glob("*.parquet")) else None


def write_quality(out: Path, *, num_figures: int, endpoints: Mapping[str, Endpoint], rules: Rules) -> None:
    """Write `quality.json` of the set under `out`; `num_figures` were read from the stores."""
    store = made_store(out)
    drops = pq.read_table(out / DROPS_FILE).to_pylist()
    splits = {split: _of_split(_samples(store, split)) for split in store.splits()} if store else {}
    quality = {
        **_funnel(drops, store, num_figures),
        "splits": splits,
        "steps": _steps(out, endpoints),
        "rules": {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(rules).items()},
    }
    write_json(out / FILE, quality)


def _samples(store: Store, split: str) -> list[Sample]:
    table = store.table(split)
    return store.samples(store.rows(table, np.arange(table.num_rows)))


def _funnel(drops: Sequence[Mapping[str, Any]], store: Store | None, num_figures: int) -> dict[str, Any]:
    """Figures and questions: every one that was read or proposed is a sample or a drop."""
    ids = [id for split in store.splits() for id in store.table(split)["sample_id"].to_pylist()] if store else []
    of_questions = [row for row in drops if figure_of(row["id"])]
    of_figures = [row for row in drops if not figure_of(row["id"])]
    asked_about = {figure_of(row["id"]) for row in of_questions} | set(map(figure_of, ids))
    return {
        "figures": {
            "read": num_figures,
            "rejected": _by_rule(of_figures),
            "with_questions": len(asked_about),
            "with_samples": len(set(map(figure_of, ids))),
        },
        "questions": {
            "proposed": len(of_questions) + len(ids),
            "rejected": _by_rule(of_questions),
            "accepted": len(ids),
        },
    }


def _by_rule(drops: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for row in drops:
        counts.setdefault(row["rule"], Counter())[row["reason"].partition(":")[0]] += 1
    return {rule: dict(kinds) for rule, kinds in counts.items()}


def _of_split(samples: Sequence[Sample]) -> dict[str, Any]:
    categories = Counter(tag.partition(":")[2] for s in samples for tag in s.tags if tag.startswith("category:"))
    families = Counter({family: 0 for family in dict.fromkeys(FAMILY_OF.values())})
    for category, count in categories.items():
        families[FAMILY_OF[category]] += count
    num_options = max(len(sample.answer.options) for sample in samples)
    letters = Counter(sample.answer.letter for sample in samples)
    return {
        "articles": len({sample.group for sample in samples}),
        "figures": len({figure_of(sample.id) for sample in samples}),
        "samples": len(samples),
        "letters": {letter: letters[letter] for letter in LETTERS[:num_options]},
        "categories": {category: categories[category] for category in FAMILY_OF},
        "families": dict(families),
        "question_words": _spread([num_words(sample.question) for sample in samples]),
        "reasoning_words": _spread([num_words(sample.reasoning) for sample in samples]),
        "units": {axis: sum(unit.axis == axis for s in samples for unit in s.rubric) for axis in AXES},
    }


def _spread(counts: Sequence[int]) -> dict[str, float]:
    quantiles = np.quantile(counts, (0.05, 0.5, 0.95))
    return dict(zip(("p5", "median", "p95"), (round(float(each), 1) for each in quantiles), strict=True))


def _steps(out: Path, endpoints: Mapping[str, Endpoint]) -> dict[str, dict[str, Any]]:
    """By step, what the result rests on: each answer counts once for each case it was for, whenever it was paid for."""
    asked = read_asked(out)
    found = {}
    for step in STEPS:
        rows: pa.Table = asked.filter(pc.equal(asked["rule"], step.name))
        price = endpoints[step.role].price
        tokens_in, tokens_out = (int(pc.sum(rows[name]).as_py() or 0) for name in ("tokens_in", "tokens_out"))
        found[step.name] = {
            "role": step.role,
            "model": endpoints[step.role].model,
            "prompt_sha256": rows["prompt_sha256"][0].as_py() if rows.num_rows else "",
            "questions": rows.num_rows,
            "tries": int(pc.sum(rows["tries"]).as_py() or 0),
            "without_answer": int(pc.sum(pc.not_equal(rows["problem"], "")).as_py() or 0),
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "cost": (tokens_in * price.million_in + tokens_out * price.million_out) / 1e6,
        }
    return found

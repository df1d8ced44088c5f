"""What a plan of rows holds: how full they are, what was too long, and how much of each source comes."""

from typing import Any

import numpy as np
import pyarrow.compute as pc

from osler.train.pack import Packing, Plan, Selection


def fill_report(plan: Plan, selections: list[Selection], packing: Packing) -> dict[str, Any]:
    """The contents of a run's `pack.json`; tokens are those estimated from the index, tiles are exact.

    `fill_tokens` and `fill_tiles` are shares of the rows' budgets, a row beyond its budget counted as full;
    `fill_steps` is the share of a step's tensor that is no padding, as its rows are padded to the longest. The
    overlong and the dropped are counted among the samples of the selections, whether or not they are drawn.
    """
    return {
        "row_tokens": packing.row_tokens,
        "row_tiles": packing.row_tiles,
        "order": packing.order,
        "rows": len(plan.rows),
        "documents": plan.rows.num_documents,
        "samples": plan.rows.num_samples,
        "tokens": int(plan.tokens.sum()),
        "tiles": int(plan.tiles.sum()),
        "fill_tokens": _share(plan.tokens, packing.row_tokens),
        "fill_tiles": None if packing.row_tiles is None else _share(plan.tiles, packing.row_tiles),
        "fill_steps": _fill_steps(plan.tokens, packing.rows_per_step),
        "rows_over_row_tokens": int((plan.tokens > packing.row_tokens).sum()),
        "overlong": {"rule": packing.overlong, "samples": plan.overlong},
        "dropped": dict(plan.dropped),
        "dropped_ids": list(plan.dropped_ids),
        "sources": _sources(plan, selections),
    }


def source_names(selections: list[Selection]) -> tuple[str, ...]:
    """A name for each selection, no two alike: its datasets, then its only task, what it withholds, its number."""
    names: list[str] = []
    for selection in selections:
        datasets, tasks = (sorted(pc.unique(selection.table[column]).to_pylist()) for column in ("dataset", "task"))
        name = "+".join(datasets) if len(datasets) <= 3 else f"{datasets[0]}+{len(datasets) - 1} more"
        name += f":{tasks[0]}" if len(tasks) == 1 else ""
        name += " without images" if selection.withhold_images else ""
        names.append(name)
    return tuple(
        name if names.count(name) == 1 else f"{name}#{names[:number].count(name) + 1}"
        for number, name in enumerate(names)
    )


def _share(costs: np.ndarray, budget: int) -> float:
    return round(float(np.minimum(costs, budget).sum() / (budget * max(1, len(costs)))), 6)


def _fill_steps(tokens: np.ndarray, rows_per_step: int) -> float:
    longest = np.maximum.reduceat(tokens, np.arange(0, len(tokens), rows_per_step)) if len(tokens) else tokens
    padded = int(np.repeat(longest, rows_per_step)[: len(tokens)].sum())
    return round(int(tokens.sum()) / max(1, padded), 6)


def _sources(plan: Plan, selections: list[Selection]) -> list[dict[str, Any]]:
    documents, samples = plan.rows.by_selection(len(selections))
    return [
        {
            "name": name,
            "weight": selection.weight,
            "records_held": plan.records[number],
            "samples_held": selection.table.num_rows,
            "documents": int(documents[number]),
            "samples": int(samples[number]),
        }
        for number, (name, selection) in enumerate(zip(source_names(selections), selections, strict=True))
    ]

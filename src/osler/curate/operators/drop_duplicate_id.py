"""Drop samples whose id an earlier sample has. Without this operator two samples with one id end the run."""

import pyarrow as pa

from osler.curate.drops import drop
from osler.curate.operator import Kept, NoOptions, Operator, keep_where


def drop_duplicate_id(table: pa.Table) -> Kept:
    """Keep the first sample of each id."""
    seen: set[str] = set()
    drops = []
    for id in table["id"].to_pylist():
        drops.append(drop(id, "drop_duplicate_id", "same id", matched_id=id) if id in seen else None)
        seen.add(id)
    return keep_where(table, drops)


OPERATOR = Operator(config=NoOptions, build=lambda config: drop_duplicate_id, level="sample", scope="all")

from pathlib import Path

import pyarrow as pa
import pytest

from osler.core.errors import InputError
from osler.curate.drops import drop, drops_table
from osler.curate.opened import OpenRecord, rewrite_records
from osler.curate.operator import REWRITES, Kept
from osler.curate.plan import PlannedRecord
from osler.schema.sample import Sample, image, passage, user


def opened(key: str, *ids: str) -> OpenRecord:
    samples = tuple(Sample(id=id, turns=(user(image(f"{key}.png"), "Describe."),), answer=passage(id)) for id in ids)
    return OpenRecord(PlannedRecord(key, "toy", "train", Path(), {}, samples), list(samples), {f"{key}.png": b"whole"})


def cut_in_two(table: pa.Table) -> Kept:
    """Each record becomes two, with a file and a sample for each half."""
    rows = []
    for row in table.to_pylist():
        for half in "ab":
            path = f"{row['media_paths'][0]}-{half}"
            samples = [Sample.model_validate_json(text) for text in row["samples"]]
            cut = [
                s.model_copy(update={"id": f"{s.id}#{half}", "turns": (user(image(path), s.question),)})
                for s in samples
            ]
            texts = [s.model_dump_json(exclude_defaults=True) for s in cut]
            rows.append(
                {
                    **row,
                    "key": f"{row['key']}-{half}",
                    "media_paths": [path],
                    "media": [half.encode()],
                    "samples": texts,
                }
            )
    return Kept(pa.Table.from_pylist(rows, schema=REWRITES), drops_table())


def test_an_operator_makes_two_records_of_one():
    records, drops = rewrite_records([opened("k", "toy/train/1", "toy/train/2")], cut_in_two)
    assert [record.planned.key for record in records] == ["k-a", "k-b"] and drops.num_rows == 0
    assert [s.id for s in records[1].samples] == ["toy/train/1#b", "toy/train/2#b"]
    assert records[1].files == {"k.png-b": b"b"} and records[1].samples[0].media[0].path == "k.png-b"
    assert records[0].planned.samples == tuple(records[0].samples)


def test_drops_may_name_a_record_or_a_sample():
    def drop_some(table: pa.Table) -> Kept:
        first, second = table.to_pylist()
        second["samples"] = second["samples"][1:]
        drops = [drop(first["key"], "toy", "whole record"), drop(second["sample_ids"][0], "toy", "one sample")]
        return Kept(pa.Table.from_pylist([second], schema=REWRITES), drops_table(drops))

    records, drops = rewrite_records([opened("k", "a", "b"), opened("m", "c", "d")], drop_some)
    assert [s.id for record in records for s in record.samples] == ["d"]
    assert drops["id"].to_pylist() == ["a", "b", "c"]


def test_an_operator_that_loses_a_sample_or_a_file_is_stopped():
    def lose_sample(table: pa.Table) -> Kept:
        return Kept(table.slice(0, 0), drops_table())

    def lose_file(table: pa.Table) -> Kept:
        rows = [{**row, "media_paths": [], "media": []} for row in table.to_pylist()]
        return Kept(pa.Table.from_pylist(rows, schema=REWRITES), drops_table())

    with pytest.raises(InputError, match="lost sample 'a' without a drop"):
        rewrite_records([opened("k", "a")], lose_sample)
    with pytest.raises(InputError, match="gave record 'k' no file 'k.png'"):
        rewrite_records([opened("k", "a")], lose_file)

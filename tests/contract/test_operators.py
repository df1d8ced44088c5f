"""What every operator owes: a pure function that loses no row in silence and says which rule dropped it, and why."""

import pickle

import pyarrow as pa
import pytest

from osler.core.catalog import OPERATORS
from osler.core.errors import InputError
from osler.core.files import sha256_bytes
from osler.core.rng import generator
from osler.curate.drops import DROPS
from osler.curate.operator import RECORDS, SAMPLES, Operator
from osler.media.image import encode_png8

GOOD = encode_png8(generator(0, "operators").integers(0, 256, (9, 9)).astype("uint8"))


def sample_row(row: int, **fields) -> dict:
    text = {"dataset": "toy", "split": "train", "group": "g", "licence": "CC0-1.0"}
    words = {"question": f"Question {row}?", "answer": "yes", "key": f"k{row}", "id": f"toy/train/{row}"}
    return {"row": row, **text, **words, "media_paths": ["a.png"], "media_sha256": [sha256_bytes(GOOD)], **fields}


def record_row(row: int, media: bytes | None) -> dict:
    texts = {"key": f"k{row}", "dataset": "toy", "split": "train", "sample_ids": [f"toy/train/{row}"]}
    return {"row": row, **texts, "media_paths": [f"{row}.png"], "media": [media]}


TABLES = {
    "sample": pa.Table.from_pylist(
        [
            sample_row(0),
            sample_row(1, question="  "),
            sample_row(2, answer=""),
            sample_row(3, id="toy/train/0", question="Another?"),
            sample_row(4, question="question  0?"),
            sample_row(5, question="Question 0?", media_sha256=["other"]),
        ],
        schema=SAMPLES,
    ),
    "record": pa.Table.from_pylist(
        [record_row(0, GOOD), record_row(1, None), record_row(2, GOOD[:-30]), record_row(3, b"text")], schema=RECORDS
    ),
}
DROPPED = {
    "drop_empty_text": [1, 2],
    "drop_duplicate_id": [3],
    "drop_duplicate_sample": [4],
    "drop_missing_image": [1],
    "drop_broken_image": [2, 3],
}


@pytest.fixture(params=OPERATORS.names())
def name(request) -> str:
    return request.param


@pytest.fixture
def operator(name) -> Operator:
    return OPERATORS.load(name)


def test_every_row_is_kept_or_dropped_with_a_reason(name, operator):
    table = TABLES[operator.level]
    before = table.to_pylist()
    apply = operator.build(operator.config())
    kept = apply(table)
    rows = kept.table["row"].to_pylist()
    assert kept.table.schema == table.schema and kept.drops.schema.equals(DROPS)
    assert rows == sorted(set(rows)) and len(rows) + kept.drops.num_rows == table.num_rows
    names = table["key" if operator.level == "record" else "id"].to_pylist()
    assert sorted(kept.drops["id"].to_pylist()) == sorted(n for row, n in enumerate(names) if row not in rows)
    assert set(kept.drops["rule"].to_pylist()) == {name} and all(kept.drops["reason"].to_pylist())
    assert table.to_pylist() == before, "an operator changes nothing"
    assert apply(table).drops.equals(kept.drops)
    if name in DROPPED:
        assert [row for row in range(table.num_rows) if row not in rows] == DROPPED[name]


def test_no_row_in_no_row_out(operator):
    apply = operator.build(operator.config())
    kept = apply(TABLES[operator.level].slice(0, 0))
    assert kept.table.num_rows == kept.drops.num_rows == 0


def test_it_travels_to_another_process(operator):
    apply = operator.build(operator.config())
    table = TABLES[operator.level]
    assert pickle.loads(pickle.dumps(apply))(table).drops.equals(apply(table).drops)  # noqa: S301 - made here


def test_an_unknown_option_is_refused(name, operator):
    with pytest.raises(InputError, match=f"operator {name}: unknown key 'min_charz'"):
        operator.config.parse({"min_charz": 1}, f"operator {name}")


def test_it_says_what_it_does(name):
    assert OPERATORS.summary(name).startswith("Drop ")

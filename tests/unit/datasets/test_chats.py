import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from osler.core.errors import InputError
from osler.datasets.chats import ChatLines, ChatTable
from osler.datasets.dataset import BadRow

ROWS = [
    {"chat": [{"who": "user", "more": 1, "what": "Hi"}, {"who": "gpt", "more": 2, "what": None}], "source": "a"},
    {"chat": [], "source": "b"},
    {"chat": None, "source": "c"},
    {"chat": [{"who": "user", "more": 3, "what": "Bye"}], "source": "d"},
]
SAID = [[("user", "Hi"), ("gpt", None)], [], [], [("user", "Bye")]]


@pytest.mark.parametrize("large", [False, True])
def test_a_table_gives_pairs_over_batches(tmp_path, large):
    turn = pa.struct([("who", pa.string()), ("more", pa.int64()), ("what", pa.string())])
    chat = pa.large_list(turn) if large else pa.list_(turn)
    schema = pa.schema([("chat", chat), ("source", pa.string()), ("wide", pa.string())])
    pq.write_table(pa.Table.from_pylist(ROWS * 200, schema=schema), tmp_path / "a.parquet")
    rows = list(ChatTable("chat", "who", "what", others=("source",))(tmp_path, "a.parquet"))
    expected = [{"said": said, "source": row["source"]} for said, row in zip(SAID, ROWS, strict=True)]
    assert rows == expected * 200


def test_other_columns_and_other_turns_are_named(tmp_path):
    pq.write_table(pa.Table.from_pylist([{"text": "x"}]), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"other columns; expected chat \(a list of who, what\), source; got text"):
        list(ChatTable("chat", "who", "what", others=("source",))(tmp_path, "a.parquet"))
    pq.write_table(pa.Table.from_pylist([{"chat": [{"role": "user"}]}]), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="other columns"):
        list(ChatTable("chat", "who", "what")(tmp_path, "a.parquet"))
    (tmp_path / "a.parquet").write_text("no table")
    with pytest.raises(InputError, match="no readable parquet file"):
        list(ChatTable("chat", "who", "what")(tmp_path, "a.parquet"))


def test_lines_give_the_same_pairs_and_count_broken_turns(tmp_path):
    rows = [ROWS[0], {"chat": [{"who": "user"}]}, {"other": 1}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n{")
    good, bad, other, broken = ChatLines("chat", "who", "what")(tmp_path, "a.jsonl")
    assert good["said"] == SAID[0] and good["source"] == "a" and other == {"other": 1}
    assert bad == BadRow("other fields: a turn of row 1 of a.jsonl lacks who or what")
    assert broken.reason.startswith("broken line")

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from osler.core.errors import InputError
from osler.datasets.read import (
    FirstOf,
    csv_table,
    json_list,
    json_map,
    jsonl,
    parquet,
    resolve_root,
    text_lines,
    tsv_table,
)

ROWS = [{"id": 1, "text": "one"}, {"id": 2, "text": "two"}]


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_every_layout_gives_the_same_rows(tmp_path):
    write(tmp_path, "a.json", json.dumps(ROWS))
    write(tmp_path, "a.jsonl", "\n".join(json.dumps(row) for row in ROWS) + "\n\n")
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    readers = [json_list({"train": "a.json"}), jsonl({"train": "a.jsonl"}), parquet({"train": "a.parquet"})]
    assert all(list(reader(tmp_path, "train")) == ROWS for reader in readers)
    words = [{"id": str(row["id"]), "text": row["text"]} for row in ROWS]
    write(tmp_path, "a.csv", '\ufeffid, text\n1,one\n2,"two"\n')
    write(tmp_path, "a.tsv", "id\ttext\n1\tone\n2\ttwo\n")
    write(tmp_path, "a.txt", "1|one\n\n2|two\n")
    readers = [csv_table({"train": "a.csv"}), tsv_table({"train": "a.tsv"})]
    readers.append(text_lines({"train": "a.txt"}, fields=("id", "text"), sep="|"))
    assert all(list(reader(tmp_path, "train")) == words for reader in readers)


def test_a_mapping_keeps_its_keys(tmp_path):
    write(tmp_path, "a.json", json.dumps({"p1": {"text": "x"}}))
    assert list(json_map({"test": "a.json"}, fields=("text",))(tmp_path, "test")) == [{"_id": "p1", "text": "x"}]


def test_a_split_has_its_own_file_or_its_own_rows(tmp_path):
    write(tmp_path, "train.jsonl", '{"a": 1}')
    assert list(jsonl("{split}.jsonl")(tmp_path, "train")) == [{"a": 1}]
    write(tmp_path, "all.jsonl", '{"a": 1, "split": "train"}\n{"a": 2, "split": "test"}')
    assert [row["a"] for row in jsonl("all.jsonl")(tmp_path, "test")] == [2]
    with pytest.raises(InputError, match="row 0 .* does not say its split"):
        list(jsonl("train.jsonl")(tmp_path, "train"))


def test_other_fields_stop_with_expected_and_found(tmp_path):
    write(tmp_path, "a.json", json.dumps([*ROWS, {"id": 3, "caption": "x"}]))
    with pytest.raises(InputError, match="row 2 of .*a.json has other fields; expected id, text; got caption, id"):
        list(json_list({"train": "a.json"}, fields=("id", "text"))(tmp_path, "train"))


@pytest.mark.parametrize(
    ("reader", "text", "message"),
    [
        (json_list({"train": "f"}), '{"a": 1}', "expected a list of rows; got dict"),
        (json_map({"train": "f"}), "[1]", "expected ids mapped to rows; got list"),
        (json_list({"train": "f"}, fields=("a",)), "[3]", "expected a; got int"),
        (jsonl({"train": "f"}), '{"a": 1}\n{"a": ', "line 2 is not valid JSON"),
        (csv_table({"train": "f"}), "a,b\n1\n", "line 2 .* has 1 fields; expected 2: a, b"),
        (
            text_lines({"train": "f"}, fields=("a", "b"), sep="|"),
            "1|2\nno bar\n",
            "line 2 .* has 1 fields; expected a.b",
        ),
        (parquet({"train": "f"}), "PAR1", "no readable parquet"),
    ],
)
def test_files_of_another_layout_are_named(tmp_path, reader, text, message):
    write(tmp_path, "f", text)
    with pytest.raises(InputError, match=message):
        list(reader(tmp_path, "train"))


def test_the_first_layout_that_is_there_is_read(tmp_path):
    reader = FirstOf((jsonl({"train": "a.jsonl"}), json_list({"train": "b.json"})))
    assert reader.paths(tmp_path, "train") == [tmp_path / "a.jsonl"]
    write(tmp_path, "b.json", json.dumps(ROWS))
    assert list(reader(tmp_path, "train")) == ROWS and reader.paths(tmp_path, "train") == [tmp_path / "b.json"]


def test_a_hub_id_needs_a_network():
    assert resolve_root("some/folder", offline=True) == Path("some/folder")
    with pytest.raises(InputError, match="'hub:a/b' is on the hub and HF_HUB_OFFLINE is set.*folder as root"):
        resolve_root("hub:a/b", offline=True)

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from osler.core.errors import InputError
from osler.datasets import parse
from osler.datasets.dataset import BadRow
from osler.datasets.read import (
    FirstOf,
    any_json,
    class_folders,
    csv_lines,
    csv_table,
    json_list,
    json_map,
    jsonl,
    npz,
    parquet,
    resolve_root,
    text_lines,
    tsv_table,
    webdataset,
    xlsx,
)

ROWS = [{"id": 1, "text": "one"}, {"id": 2, "text": "two"}]
NUMBERS = [{"a": 1}, {"a": 2}]


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


def test_a_first_row_with_other_fields_stops_and_a_later_one_is_a_bad_row(tmp_path):
    write(tmp_path, "a.json", json.dumps([{"id": 3, "caption": "x"}, *ROWS]))
    with pytest.raises(InputError, match="row 0 of .*a.json has other fields; expected id, text; got caption, id"):
        list(json_list({"train": "a.json"}, fields=("id", "text"))(tmp_path, "train"))
    write(tmp_path, "b.json", json.dumps([ROWS[0], {"id": 3, "caption": "x"}, ROWS[1]]))
    rows = list(json_list({"train": "b.json"}, fields=("id", "text"))(tmp_path, "train"))
    assert rows == [ROWS[0], BadRow("other fields: row 1 of b.json lacks text"), ROWS[1]]


@pytest.mark.parametrize(
    ("reader", "text", "message"),
    [
        (json_list({"train": "f"}), '{"a": 1}', "expected a list of rows; got dict"),
        (json_list({"train": "f"}), '[{"a": 1}, {"a": ', "row 1 of .* is not valid JSON"),
        (json_map({"train": "f"}), "[1]", "expected ids mapped to rows; got list"),
        (json_list({"train": "f"}, fields=("a",)), "[3]", "expected a; got int"),
        (parquet({"train": "f"}), "PAR1", "no readable parquet"),
        (webdataset({"train": "f"}), "no tar", "no readable tar"),
        (npz("f", splits={"train": "train"}, images="{split}_i", labels="{split}_l"), "no npz", "no readable npz"),
    ],
)
def test_files_of_another_layout_are_named(tmp_path, reader, text, message):
    write(tmp_path, "f", text)
    with pytest.raises(InputError, match=message):
        list(reader(tmp_path, "train"))


@pytest.mark.parametrize(
    ("reader", "text", "reason"),
    [
        (jsonl({"train": "f"}), '{"a": 1, "b": 2}\n{"a": \n{"a": 3, "b": 4}', "broken line: line 2 is not valid JSON"),
        (csv_table({"train": "f"}), "a,b\n1,2\n1\n3,4\n", "broken line: line 3 has 1 fields, expected 2"),
        (csv_lines({"train": "f"}, fields=("a", "b")), "1,2\n1\n3,4\n", "broken line: line 2 has 1 fields, expected 2"),
        (
            text_lines({"train": "f"}, fields=("a", "b"), sep="|"),
            "1|2\nno bar\n3|4",
            "broken line: line 2 has 1 fields",
        ),
    ],
)
def test_a_broken_line_is_a_bad_row_and_the_next_is_read(tmp_path, reader, text, reason):
    write(tmp_path, "f", text)
    first, bad, last = reader(tmp_path, "train")
    assert isinstance(bad, BadRow) and bad.reason.startswith(reason)
    assert (str(first["a"]), str(last["a"])) == ("1", "3")


def test_a_change_sees_good_rows_only_and_bad_ones_are_kept(tmp_path):
    def double(root, split, rows):
        for row in rows:
            yield {"a": 2 * row["a"]}

    write(tmp_path, "f", '{"a": 1}\nx\n{"a": 2}\ny')
    rows = list(jsonl({"train": "f"}, change=double)(tmp_path, "train"))
    assert [row for row in rows if isinstance(row, dict)] == [{"a": 2}, {"a": 4}]
    assert sum(isinstance(row, BadRow) for row in rows) == 2


@pytest.mark.parametrize("num_rows", [1, 3000])
def test_json_is_read_across_the_edges_of_what_is_held(tmp_path, num_rows, monkeypatch):
    monkeypatch.setattr(parse, "_CHUNK", 7)
    rows = [{"id": n, "text": "w" * (n % 50), "n": [n, -1.5e10]} for n in range(num_rows)]
    write(tmp_path, "l.json", json.dumps(rows, indent=1))
    write(tmp_path, "m.json", json.dumps({str(row["id"]): row["id"] * 1000 for row in rows}))
    assert list(json_list({"train": "l.json"})(tmp_path, "train")) == rows
    assert list(parse.parse_map(tmp_path, "m.json")) == [row["id"] * 1000 for row in rows]


def test_several_files_are_read_in_order_and_named(tmp_path):
    for name in ("b", "a"):
        write(tmp_path, f"{name}.jsonl", json.dumps({"x": name}))
    reader = jsonl({"train": "*.jsonl", "test": ("b.jsonl", "a.jsonl")}, file_field="_file")
    assert list(reader(tmp_path, "train")) == [{"x": "a", "_file": "a.jsonl"}, {"x": "b", "_file": "b.jsonl"}]
    assert [row["x"] for row in reader(tmp_path, "test")] == ["b", "a"]
    assert jsonl({"train": "none*.jsonl"}).paths(tmp_path, "train") == [tmp_path / "none*.jsonl"]


def test_a_gzipped_table_reads_like_a_plain_one(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a, b\n1,2\n"))
    assert list(csv_table({"train": "a.csv.gz"})(tmp_path, "train")) == [{"a": "1", "b": "2"}]


def test_a_workbook_is_read_by_its_first_row(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in (("Question ", "Answer"), ("q", "a"), (None, None), ("r", None)):
        book.active.append(line)
    book.save(tmp_path / "a.xlsx")
    rows = list(xlsx({"train": "a.xlsx"}, fields=("Question",))(tmp_path, "train"))
    assert rows == [{"Question": "q", "Answer": "a"}, {"Question": "r", "Answer": None}]


def test_class_folders_name_the_label_and_leave_junk_out(tmp_path):
    for name in ("a/2.png", "a/1.jpg", "b/sub/3.PNG", "b/Thumbs.db", "__MACOSX/x.png", "b/._3.png", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    rows = list(class_folders({"train": "."})(tmp_path, "train"))
    assert rows == [{"image": name, "label": name[0]} for name in ("a/1.jpg", "a/2.png", "b/sub/3.PNG")]


def test_the_first_layout_that_is_there_is_read(tmp_path):
    reader = FirstOf((jsonl({"train": "a.jsonl"}), json_list({"train": "b.json"})))
    assert reader.paths(tmp_path, "train") == [tmp_path / "a.jsonl"]
    write(tmp_path, "b.json", json.dumps(ROWS))
    assert list(reader(tmp_path, "train")) == ROWS and reader.paths(tmp_path, "train") == [tmp_path / "b.json"]


def test_a_hub_id_needs_a_network():
    assert resolve_root("some/folder", offline=True) == Path("some/folder")
    with pytest.raises(InputError, match="'hub:a/b' is on the hub and HF_HUB_OFFLINE is set.*folder as root"):
        resolve_root("hub:a/b", offline=True)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(NUMBERS),
        "\n\n  " + json.dumps(NUMBERS, indent=2),
        "\n" + "\n".join(map(json.dumps, NUMBERS)),
        '\ufeff[{"a": 1}, {"a": 2}]',
    ],
)
def test_a_list_and_lines_give_the_same_rows(tmp_path, text):
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    assert list(any_json({"train": "x.json"}, fields=("a",))(tmp_path, "train")) == NUMBERS


def test_a_broken_line_of_any_json_is_a_bad_row_and_an_empty_file_has_none(tmp_path):
    (tmp_path / "x.json").write_text('{"a": 1}\n{"a"\n')
    rows = list(any_json({"train": "x.json"}, fields=("a",))(tmp_path, "train"))
    assert rows[0] == {"a": 1} and isinstance(rows[1], BadRow) and rows[1].reason.startswith("broken line: line 2")
    (tmp_path / "x.json").write_text(" \n")
    assert list(any_json({"train": "x.json"})(tmp_path, "train")) == []


def test_other_fields_of_any_json_are_named(tmp_path):
    (tmp_path / "x.json").write_text('[{"b": 1}]')
    with pytest.raises(InputError, match="has other fields; expected a; got b"):
        list(any_json({"train": "x.json"}, fields=("a",))(tmp_path, "train"))


def test_gzipped_json_of_either_kind_is_read(tmp_path):
    for text in (json.dumps(NUMBERS), "\n".join(map(json.dumps, NUMBERS))):
        (tmp_path / "x.json.gz").write_bytes(gzip.compress(text.encode()))
        assert list(any_json({"train": "x.json.gz"}, fields=("a",))(tmp_path, "train")) == NUMBERS

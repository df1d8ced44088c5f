import json

import pytest

from osler.core.errors import InputError
from osler.datasets.any_json import any_json
from osler.datasets.dataset import BadRow

ROWS = [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS),
        "\n\n  " + json.dumps(ROWS, indent=2),
        "\n" + "\n".join(map(json.dumps, ROWS)),
        '\ufeff[{"a": 1}, {"a": 2}]',
    ],
)
def test_a_list_and_lines_give_the_same_rows(tmp_path, text):
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    assert list(any_json({"train": "x.json"}, fields=("a",))(tmp_path, "train")) == ROWS


def test_a_broken_line_is_a_bad_row_and_an_empty_file_has_none(tmp_path):
    (tmp_path / "x.json").write_text('{"a": 1}\n{"a"\n')
    rows = list(any_json({"train": "x.json"}, fields=("a",))(tmp_path, "train"))
    assert rows[0] == {"a": 1} and isinstance(rows[1], BadRow) and rows[1].reason.startswith("broken line: line 2")
    (tmp_path / "x.json").write_text(" \n")
    assert list(any_json({"train": "x.json"})(tmp_path, "train")) == []


def test_other_fields_are_named(tmp_path):
    (tmp_path / "x.json").write_text('[{"b": 1}]')
    with pytest.raises(InputError, match="has other fields; expected a; got b"):
        list(any_json({"train": "x.json"}, fields=("a",))(tmp_path, "train"))

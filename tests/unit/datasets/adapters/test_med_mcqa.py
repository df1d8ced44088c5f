import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from osler.core.errors import InputError
from osler.datasets.adapters.med_mcqa import DATASET
from osler.datasets.dataset import read_drafts

ROW = {"question": "Which?", "opa": "a", "opb": "b", "opc": "c", "opd": "d", "subject_name": "Anatomy", "id": "q1"}


def answers(root, split):
    return [d.sample.answer.text if d.sample else d.skip for d in read_drafts(DATASET, "med_mcqa", root, split=split)]


def test_github_counts_from_one_and_the_hub_from_zero(tmp_path):
    (tmp_path / "dev.json").write_text("\n".join(json.dumps({**ROW, "cop": cop}) for cop in (1, 4)))
    assert answers(tmp_path, "validation") == ["a", "d"]
    (tmp_path / "dev.json").unlink()
    (tmp_path / "data").mkdir()
    rows = [{**ROW, "cop": cop} for cop in (0, 3, -1)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data" / "validation-00000-of-00001.parquet")
    assert answers(tmp_path, "validation") == ["a", "d", "the answer is not published"]


def test_an_answer_outside_its_layout_is_refused(tmp_path):
    (tmp_path / "dev.json").write_text(json.dumps({**ROW, "cop": 0}))
    with pytest.raises(InputError, match="question 'q1' has cop 0; expected 1 to 4 in this layout"):
        answers(tmp_path, "validation")

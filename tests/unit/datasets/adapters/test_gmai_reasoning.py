import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from osler.datasets.adapters.gmai_reasoning import DATASET
from osler.datasets.dataset import read_drafts


def samples(root) -> list:
    return [draft.sample or draft.skip for draft in read_drafts(DATASET, "gmai_reasoning", root, split="train")]


def test_a_trace_is_kept_apart_from_the_answer(tmp_path):
    said = "<think>\nFluid is bright.\n</think>\n<answer>B. T2</answer>"
    turns = [{"from": "human", "value": "<image>\nWhich?\nA. T1\nB. T2"}, {"from": "gpt", "value": said}]
    (tmp_path / "list.jsonl").write_text(json.dumps({"image": "a.png", "conversations": turns}))
    (sample,) = samples(tmp_path)
    assert (sample.reasoning, sample.answer.text) == ("Fluid is bright.", "T2") and len(sample.media) == 1
    assert "think" not in sample.question + sample.answer.text


def test_columns_with_the_pictures_inside(tmp_path):
    out = io.BytesIO()
    Image.new("L", (3, 2), 7).save(out, "PNG")
    row = {
        "image": {"bytes": out.getvalue(), "path": None},
        "question": "Which?",
        "reasoning": "Bright.",
        "answer": "A",
    }
    rows = [{**row, "options": "['T1', 'T2']"}, {**row, "options": "A. T1\nB. T2"}, {**row, "options": ""}]
    (tmp_path / "data").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data" / "train-0.parquet")
    first, second, third = samples(tmp_path)
    assert first.answer == second.answer and first.reasoning == "Bright." and first.answer.options == ("T1", "T2")
    assert third == "the options cannot be read"

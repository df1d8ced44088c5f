import pyarrow as pa
import pytest

from films import film, saved
from osler.curate.operator import SAMPLES
from osler.curate.operators.drop_near_duplicate import OPERATOR


def row(number: int, folder, file: str, answer: str, split: str = "train") -> dict:
    words = {"id": f"s{number}", "key": f"k{number}", "dataset": "toy", "group": "", "licence": "CC0-1.0"}
    asked = {"question": "Describe this image.", "answer": answer, "media_paths": [file], "media_sha256": []}
    return {"row": number, **words, **asked, "split": split, "folder": str(folder), "media_places": [file]}


@pytest.fixture
def table(tmp_path):
    report = "A round shadow of two centimetres lies in the left upper field, and the heart is not enlarged at all."
    files = {"a.png": saved(film(0)), "a.jpg": saved(film(0), "JPEG", quality=40), "b.png": saved(film(1))}
    for name, data in {**files, "text.png": b"text"}.items():
        (tmp_path / name).write_bytes(data)
    said = [
        ("a.png", report),
        ("a.jpg", report + " Ribs."),
        ("b.png", report),
        ("a.jpg", "Another text, of its own words."),
    ]
    said += [("text.png", report), ("none.png", report)]
    rows = [row(number, tmp_path, *pair) for number, pair in enumerate(said)]
    return pa.Table.from_pylist([*rows, row(6, tmp_path, "a.jpg", report, split="test")], schema=SAMPLES)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_copy_with_the_same_words_is_dropped_and_named(table, num_workers):
    kept = OPERATOR.build(OPERATOR.config(num_workers=num_workers))(table)
    assert kept.table["row"].to_pylist() == [0, 2, 3, 4, 5, 6]
    (drop,) = kept.drops.to_pylist()
    assert (drop["id"], drop["rule"], drop["matched_id"]) == ("s1", "drop_near_duplicate", "s0")
    assert 0.8 <= drop["score"] <= 1


def test_another_answer_to_the_same_question_is_another_sample(table):
    long = "Which of these is seen in the film of a man aged 61 who has coughed for three weeks and lost weight?"
    rows = [{**row, "question": long, "answer": "AB"[row["row"] % 2]} for row in table.to_pylist()[:2]]
    kept = OPERATOR.build(OPERATOR.config())(pa.Table.from_pylist(rows, schema=SAMPLES))
    assert kept.table.num_rows == 2

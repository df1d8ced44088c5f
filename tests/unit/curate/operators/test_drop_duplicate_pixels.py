import pyarrow as pa

from films import film, saved
from osler.curate.operator import SAMPLES
from osler.curate.operators.drop_duplicate_pixels import OPERATOR

FILES = {
    "a.png": saved(film(0)),
    "a.bmp": saved(film(0), "BMP"),
    "a.jpg": saved(film(0), "JPEG"),
    "torn.png": b"\x89PNG",
}


def row(number: int, folder, file: str, answer: str) -> dict:
    words = {"id": f"s{number}", "split": "train", "question": "Fracture?", "answer": answer}
    return {"row": number, **words, "media_paths": [file], "folder": str(folder), "media_places": [file]}


def test_the_same_pixels_with_the_same_words_are_dropped(tmp_path):
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    asked = [
        ("a.png", "no"),
        ("a.bmp", "No."),
        ("a.bmp", "yes"),
        ("a.jpg", "no"),
        ("torn.png", "no"),
        ("torn.png", "no"),
    ]
    table = pa.Table.from_pylist([row(n, tmp_path, *pair) for n, pair in enumerate(asked)], schema=SAMPLES)
    kept = OPERATOR.build(OPERATOR.config())(table)
    assert kept.table["row"].to_pylist() == [0, 2, 3, 4, 5]
    assert [(d["id"], d["matched_id"], d["score"]) for d in kept.drops.to_pylist()] == [("s1", "s0", 1.0)]

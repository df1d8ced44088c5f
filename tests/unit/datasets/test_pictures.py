import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from osler.datasets.media import read_media
from osler.datasets.pictures import at_marks, by_content, numbered, without_marks
from osler.datasets.read import parquet
from osler.schema.sample import image

A, B, C = (image(name) for name in "abc")


def png(value: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (3, 2), value).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "paths", "parts"),
    [
        ("Is it CT?", {1: "a"}, (A, "Is it CT?")),
        ("<image>\nIs it CT?", {1: "a"}, (A, "Is it CT?")),
        ("Compare <image 2> with <image 1>.", {1: "a", 2: "b"}, ("Compare", B, "with", A, ".")),
        ("Is <image 1> as in <image 1>?", {1: "a"}, ("Is", A, "as in image 1?")),
        ("What is in <image 1>?", {1: "a", 2: "b", 3: "c"}, (B, C, "What is in", A, "?")),
        ("<image> or <image>?", {1: "a", 2: "b", 3: "c"}, (A, B, "or", C, "?")),
        ("No image.", {}, ("No image.",)),
    ],
)
def test_images_are_put_at_their_marks(text, paths, parts):
    assert at_marks(text, paths) == parts


@pytest.mark.parametrize(("text", "paths"), [("<image 3>?", {1: "a"}), ("<image>?", {}), ("<image> <image>", {1: "a"})])
def test_a_mark_without_an_image_is_noticed(text, paths):
    assert at_marks(text, paths) is None


def test_columns_are_known_by_their_number():
    row = {"image_1": "a", "image_2": None, "image_10": "c"}
    assert numbered(row, ("image_1", "image_2", "image_10")) == {1: "a", 10: "c"}
    assert without_marks("<image 2> or <image>") == "image 2 or image"


def test_one_picture_has_one_name_in_all_files(tmp_path):
    for folder, values in {"x": (1, 2), "y": (2, None)}.items():
        (tmp_path / folder).mkdir()
        cells = [{"bytes": png(v), "path": None} if v else None for v in values]
        table = pa.table({"id": [f"{folder}{v}" for v in values], "image": cells, "more": [cells[:1], cells[:1]]})
        pq.write_table(table, tmp_path / folder / "test-0.parquet")
    rows = list(parquet({"test": "*/test-*.parquet"}, images=("image", "more"), change=by_content)(tmp_path, "test"))
    x1, x2, y2, none = (row["image"] for row in rows)
    assert x2 == y2 != x1 and none is None and rows[0]["more"] == rows[1]["more"] == [x1]
    for row, value in ((rows[0], 1), (rows[1], 2), (rows[2], 2)):
        assert read_media(tmp_path, row["places"][row["image"]]) == png(value)
    assert set(rows[3]["places"]) == set(rows[3]["more"])

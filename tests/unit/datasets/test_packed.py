import io
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.datasets.media import read_media
from osler.datasets.packed import archive_finder, is_junk
from osler.datasets.read import npz, parquet, webdataset


def png(value: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (3, 2), value).save(out, "PNG")
    return out.getvalue()


def test_pictures_of_a_parquet_file_stay_in_it_until_they_are_read(tmp_path):
    rows = [
        {
            "id": n,
            "image": {"bytes": png(n), "path": f"{n}.png"} if n != 3 else None,
            "more": [{"bytes": png(n + k), "path": None} for k in range(n % 3)],
        }
        for n in range(10)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "train-0.parquet", row_group_size=4)
    found = list(parquet({"train": "train-*.parquet"}, images=("image", "more"))(tmp_path, "train"))
    assert [row["id"] for row in found] == list(range(10)) and found[3]["image"] is None
    for n in (7, 0, 9, 5):
        place = found[n]["places"][found[n]["image"]]
        assert read_media(tmp_path, place) == png(n)
        assert [read_media(tmp_path, found[n]["places"][path]) for path in found[n]["more"]] == [
            png(n + k) for k in range(n % 3)
        ]
    assert found[0]["more"] == [] and len({row["image"] for row in found}) == 10


def test_a_picture_column_of_plain_bytes_is_read_too(tmp_path):
    pq.write_table(pa.table({"image": [png(1), None]}), tmp_path / "a.parquet")
    first, second = parquet({"train": "a.parquet"}, images=("image",))(tmp_path, "train")
    assert read_media(tmp_path, first["places"][first["image"]]) == png(1) and second["image"] is None


def test_members_of_a_tar_become_samples(tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        for name, data in {
            "d/a.jpg": png(1),
            "d/a.json": b'{"k": 1}',
            "d/a.txt": "caf\u00e9".encode(),
            "d/._a.jpg": b"junk",
            "d/b.txt": b"no picture",
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    first, second = webdataset({"train": "*.tar"})(tmp_path, "train")
    assert (first["__key__"], first["json"], first["txt"]) == ("d/a", {"k": 1}, "caf\u00e9")
    assert read_media(tmp_path, first["places"][first["image"]]) == png(1)
    assert (second["__key__"], second["image"]) == ("d/b", None)


def test_rows_of_an_array_are_pictures(tmp_path):
    pixels = np.arange(2 * 4 * 5, dtype=np.uint8).reshape(2, 4, 5)
    np.savez(tmp_path / "toy.npz", val_images=pixels, val_labels=np.array([[1], [0]]))
    reader = npz(
        "*.npz", splits={"validation": "val", "test": "test"}, images="{split}_images", labels="{split}_labels"
    )
    rows = list(reader(tmp_path, "validation"))
    assert [row["label"] for row in rows] == [[1], [0]] and rows[0]["_file"] == "toy.npz"
    data = read_media(tmp_path, rows[1]["places"][rows[1]["image"]])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels[1])
    with pytest.raises(InputError, match="expected test_images, test_labels; got val_images, val_labels"):
        list(reader(tmp_path, "test"))


def test_a_zip_is_searched_by_the_end_of_a_name_and_its_junk_left_out(tmp_path):
    members = {
        "imgs/x/source.jpg": png(1),
        "imgs/y/source.jpg": png(2),
        "imgs/only.png": png(3),
        "__MACOSX/imgs/x/._source.jpg": b"junk",
        "imgs/Thumbs.db": b"junk",
    }
    with zipfile.ZipFile(tmp_path / "imgs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    find = archive_finder(tmp_path, ("imgs.zip", "more.zip"), "imgs")
    assert read_media(tmp_path, find("x/source.jpg")) == png(1)
    assert read_media(tmp_path, find("only.png")) == png(3)
    assert find("source.jpg") is None and find("._source.jpg") is None and find("Thumbs.db") is None
    with pytest.raises(InputError, match="has no member 'nothing'"):
        read_media(tmp_path, "imgs.zip::nothing")
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    with pytest.raises(InputError, match="no readable zip"):
        archive_finder(tmp_path, ("bad.zip",), "imgs")


def test_places_outside_a_file_are_named(tmp_path):
    pq.write_table(pa.table({"image": [png(1)]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="has no row 5"):
        read_media(tmp_path, "a.parquet::5::image")
    assert read_media(tmp_path, "b.parquet::0::image") is None


@pytest.mark.parametrize("name", ["__MACOSX/a.png", "a/._b.png", "a/.DS_Store", "Thumbs.db"])
def test_junk_is_known_by_its_name(name):
    assert is_junk(name) and not is_junk("images/a.png")

import io
import json
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq

from osler.datasets.dataset import BadRow
from osler.datasets.media import read_media
from osler.datasets.read import parquet, webdataset


def tar(path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def test_a_broken_json_member_is_a_bad_row_and_the_next_is_read(tmp_path):
    tar(tmp_path / "a.tar", {"1.json": b'{"x": ', "1.jpg": b"one", "2.json": json.dumps({"x": 2}).encode()})
    broken, good = webdataset({"train": "*.tar"}, fields=("json",))(tmp_path, "train")
    assert broken == BadRow("broken member: 1.json is not valid JSON") and good["json"] == {"x": 2}


def test_members_of_one_name_in_two_tars_are_two_pictures(tmp_path):
    for folder, data in (("a", b"one"), ("b", b"two")):
        tar(tmp_path / folder / "0.tar", {"f.jpg": data})
    rows = list(webdataset({"train": "**/*.tar"})(tmp_path, "train"))
    assert [row["image"] for row in rows] == ["a/0/f.jpg", "b/0/f.jpg"]
    assert [read_media(tmp_path, row["places"][row["image"]]) for row in rows] == [b"one", b"two"]


def test_rows_of_parquet_files_of_one_name_are_different_pictures(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        table = pa.Table.from_pylist([{"image": {"bytes": folder.encode(), "path": None}}])
        pq.write_table(table, tmp_path / folder / "0000.parquet")
    rows = list(parquet({"train": "*/*.parquet"}, images=("image",))(tmp_path, "train"))
    assert [read_media(tmp_path, row["places"][row["image"]]) for row in rows] == [b"a", b"b"]
    assert len({row["image"] for row in rows}) == 2

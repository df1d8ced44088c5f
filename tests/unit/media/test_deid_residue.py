"""The search for what must be gone: every packing that an output may have."""

import gzip
import io
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, PngImagePlugin

from osler.media.deid_residue import find_residue

SECRET = "Ångström^Jane"


def png(secret: str, *, packed: bool) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", secret, zip=packed)
    buffer = io.BytesIO()
    Image.new("L", (4, 4)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def tar(secret: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("a.txt.gz")
        data = gzip.compress(secret.encode())
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def zipped(secret: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", secret)
    return buffer.getvalue()


def parquet(secret: str) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": [["x", secret]] * 4}), buffer, compression="zstd")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        SECRET.upper().encode(),
        SECRET.encode("utf-16-le"),
        SECRET.encode("utf-16-be"),
        SECRET.encode("latin-1"),
        gzip.compress(b"x" * 99 + SECRET.encode(), mtime=0),  # the time would be part of the test's name
        tar(SECRET),
        zipped(SECRET),
        parquet(SECRET),
        png("Jane Doe 77", packed=False),
        png("Jane Doe 77", packed=True),
    ],
)
def test_it_is_found_however_it_is_packed(tmp_path, data):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_bytes(data)
    strings = ["nobody", SECRET, "Jane Doe 77"]
    assert find_residue(tmp_path, strings)
    assert not find_residue(tmp_path, ["nobody", "else is here"])
    assert SECRET not in repr(find_residue(tmp_path, strings))


def test_a_file_name_counts_and_short_strings_do_not(tmp_path):
    (tmp_path / "Jane-Doe.txt").write_bytes(b"abc")
    assert [found.place for found in find_residue(tmp_path, ["jane-doe"])] == ["a file name"]
    assert find_residue(tmp_path, ["abc", ""]) == []


@pytest.mark.parametrize("start", [b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"\x89PNG\r\n\x1a\n\0\0\xff\xfftEXt"])
def test_damaged_packing_is_searched_as_bytes(tmp_path, start):
    (tmp_path / "a").write_bytes(start + b"Jane Doe" * 9)
    assert find_residue(tmp_path, ["Jane Doe"])

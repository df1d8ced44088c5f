import pytest

from osler.core.errors import InputError
from osler.datasets.media import read_media, slice_path


def test_files_and_slices_are_read(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"0123456789")
    assert read_media(tmp_path, "a.bin") == b"0123456789"
    assert read_media(tmp_path, slice_path("a.bin", 2, 3)) == b"234"


def test_what_is_not_there_is_none(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    assert [read_media(tmp_path, name) for name in ("none.png", "folder", "file/inside")] == [None] * 3


def test_a_slice_beyond_the_end_is_refused(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"0123456789")
    with pytest.raises(InputError, match="a.bin ends before byte 12"):
        read_media(tmp_path, slice_path("a.bin", 8, 4))


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "a/../../b"])
def test_no_path_leads_out_of_the_folder(tmp_path, path):
    with pytest.raises(InputError, match="leads out of"):
        read_media(tmp_path, path)

import errno
import hashlib
import os
from pathlib import Path

import pytest

from osler.core import files
from osler.core.errors import DiskFullError, InputError
from osler.core.files import (
    atomic_write,
    existing_file,
    existing_folder,
    read_json,
    read_jsonl,
    sha256_file,
    sha256_json,
    shared_file,
    write_json,
    write_text,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    with atomic_write(tmp_path / "a.txt", "w") as file:
        file.write("half")
        assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").read_text() == "half"
    assert names(tmp_path) == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(ZeroDivisionError), atomic_write(tmp_path / "a.txt", "w") as file:
        file.write("new")
        raise ZeroDivisionError
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_leaves_no_part(tmp_path, monkeypatch, code):
    def full(_):
        raise OSError(code, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match="no space left while writing"):
        write_text(tmp_path / "a.txt", "x")
    assert names(tmp_path) == []


def test_a_really_full_device_is_said(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / ".a.txt.part").symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match=r"a\.txt; free some space"):
        write_text(tmp_path / "a.txt", "x" * 100_000)
    assert names(tmp_path) == []


def test_another_os_error_is_not_called_a_full_disk(tmp_path, monkeypatch):
    def broken(_):
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="input/output"):
        write_text(tmp_path / "a.txt", "x")


def test_json_is_sorted_and_refuses_what_json_has_no_word_for(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "a": "é",\n  "b": 1\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", float("nan"))
    assert read_json(tmp_path / "a.json") == {"a": "é", "b": 1}


def test_broken_json_names_the_file_and_the_line(tmp_path):
    write_text(tmp_path / "a.json", "{")
    with pytest.raises(InputError, match=r"a\.json is not valid JSON"):
        read_json(tmp_path / "a.json")
    write_text(tmp_path / "a.jsonl", '{"a": 1}\n\n{"a"\n')
    rows = read_jsonl(tmp_path / "a.jsonl")
    assert next(rows) == {"a": 1}
    with pytest.raises(InputError, match="line 3"):
        next(rows)


def test_files_and_folders_are_told_apart(tmp_path):
    write_text(tmp_path / "a.txt", "x")
    assert existing_file(tmp_path / "a.txt").name == "a.txt"
    assert existing_folder(tmp_path) == tmp_path
    with pytest.raises(InputError, match="expected a file; got a folder"):
        existing_file(tmp_path)
    with pytest.raises(InputError, match="expected a folder; got a file"):
        existing_folder(tmp_path / "a.txt")
    with pytest.raises(InputError, match="nothing at that path"):
        existing_folder(tmp_path / "b")


def test_hashes(tmp_path):
    write_text(tmp_path / "a.txt", "abc")
    assert sha256_file(tmp_path / "a.txt") == hashlib.sha256(b"abc").hexdigest()
    assert sha256_json({"a": 1, "b": 2}) == sha256_json({"b": 2, "a": 1}) != sha256_json({"a": 1, "b": 3})


def test_the_first_to_publish_stays(tmp_path, monkeypatch):
    for number in (1, 2):
        with files.private_folder(tmp_path) as folder:
            files.write_json(folder / "a.json", number)
            assert files.publish_once(folder / "a.json", tmp_path / "a.json") is (number == 1)
    assert files.read_json(tmp_path / "a.json") == 1 and [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_disk_without_hard_links_publishes_by_renaming(tmp_path, monkeypatch):
    def refuse(part, path):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(files.os, "link", refuse)
    for number in (1, 2):
        with files.private_folder(tmp_path) as folder:
            files.write_json(folder / "a.json", number)
            assert files.publish_once(folder / "a.json", tmp_path / "a.json") is (number == 1)
    assert files.read_json(tmp_path / "a.json") == 1


def test_a_shared_file_is_whole_or_as_it_was_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "new" / "file"
    with shared_file(path) as part:
        part.write_text("first")
        assert not path.exists()
    with pytest.raises(RuntimeError), shared_file(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]

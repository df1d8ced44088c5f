"""Clean studies on disk."""

import os

import pytest

from osler.core.errors import InputError
from osler.serve.studies.keep import Keep

ONE, TWO = "s-" + "0" * 20, "s-" + "a" * 20


@pytest.fixture
def keep(tmp_path):
    now = [1e9]
    keep = Keep(tmp_path / "kept", 2.0, 100, clock=lambda: now[0])
    keep.open()
    return keep, now


def stamp(keep, now):
    for path in keep.folder.rglob("*.dcm"):
        os.utime(path, (now[0], now[0]))


def test_files_are_named_by_their_hash_and_are_for_their_owner(keep):
    keep, now = keep
    names = keep.put(ONE, [b"abc", b"abc", b"d"])
    assert names[0] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.dcm" and len(set(names)) == 2
    assert {oct(path.stat().st_mode & 0o777) for path in (keep.folder / ONE).iterdir()} == {"0o600"}
    assert (keep.folder / ONE).stat().st_mode & 0o077 == 0
    stamp(keep, now)
    assert sorted(keep.files(ONE)) == [b"abc", b"d"] and keep.files(TWO) == []


def test_a_study_goes_after_its_hours(keep):
    keep, now = keep
    keep.put(ONE, [b"abc"])
    stamp(keep, now)
    now[0] += 3600
    keep.put(TWO, [b"d"])
    os.utime(next((keep.folder / TWO).iterdir()), (now[0], now[0]))
    assert [(row["study"], row["hours_left"]) for row in keep.studies()] == [(TWO, 2.0), (ONE, 1.0)]
    now[0] += 3600
    assert [row["study"] for row in keep.studies()] == [TWO] and not (keep.folder / ONE).exists()
    now[0] += 3600
    assert keep.forget_old() == 1 and list(keep.folder.iterdir()) == []


def test_a_study_is_forgotten_when_asked(keep):
    keep, _ = keep
    keep.put(ONE, [b"abc"])
    assert keep.forget(ONE) and not keep.forget(ONE)


def test_the_folder_has_an_end(keep):
    keep, now = keep
    keep.put(ONE, [bytes(60)])
    stamp(keep, now)
    with pytest.raises(InputError, match="full"):
        keep.put(TWO, [bytes(60)])
    assert not (keep.folder / TWO).exists()


@pytest.mark.parametrize("name", ["", "..", "s-../../x", "/tmp", "s-" + "g" * 20, ONE + "/x", ONE + "\n"])
def test_only_pseudonyms_name_folders(keep, name):
    keep, _ = keep
    for act in (lambda: keep.put(name, [b"x"]), lambda: keep.files(name), lambda: keep.forget(name)):
        with pytest.raises(InputError, match="not the name"):
            act()


def test_a_folder_that_others_can_read_is_refused(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    with pytest.raises(InputError, match="open to others.*chmod 700"):
        Keep(folder, 1.0, 1).open()

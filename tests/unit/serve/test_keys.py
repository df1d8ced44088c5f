import hashlib
import json
from datetime import UTC, date, datetime, timedelta

import pytest

from osler.core.errors import InputError
from osler.serve.keys import Keys, add_key, remove_key


def test_a_key_is_kept_as_a_hash_only(tmp_path):
    path = tmp_path / "keys.json"
    key = add_key(path, "ward-3", scopes=["chat", "study"])
    secret = key.rpartition("ward-3_")[2]
    assert len(secret) >= 43 and secret not in path.read_text()
    assert json.loads(path.read_text())["keys"][0]["sha256"] == hashlib.sha256(secret.encode()).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600
    visitor = Keys(path).visitor(key)
    assert (visitor.who, visitor.scopes) == ("ward-3", {"chat", "study"})


def test_wrong_keys_are_nobodys(tmp_path):
    path = tmp_path / "keys.json"
    key = add_key(path, "a", scopes=["chat"])
    other = add_key(path, "b", scopes=["chat"])
    keys = Keys(path)
    swapped = "osler_a_" + other.partition("_b_")[2]
    wrong = ["", "osler", "osler_a_", "osler_a", key[:-1], key + "x", key.upper(), swapped, "\udcff" * 9, "x" * 10000]
    assert [keys.visitor(each) for each in wrong] == [None] * len(wrong)
    assert keys.visitor(key).who == "a"


def test_a_removed_key_is_refused_at_once_and_an_expired_one(tmp_path):
    path = tmp_path / "keys.json"
    key, other = add_key(path, "a", scopes=["chat"]), add_key(path, "b", scopes=["metrics"])
    today = datetime.now(UTC).date()
    late = add_key(path, "c", scopes=["chat"], expires=today)
    soon = add_key(path, "d", scopes=["chat"], expires=today + timedelta(days=1))
    keys = Keys(path)
    assert (keys.visitor(late), keys.visitor(soon).who) == (None, "d")
    remove_key(path, "a")
    assert (keys.visitor(key), keys.visitor(other).who) == (None, "b")


def test_a_file_of_keys_that_cannot_be_read_admits_nobody(tmp_path):
    path = tmp_path / "keys.json"
    with pytest.raises(InputError, match="osler keys add"):
        Keys(path)
    key = add_key(path, "a", scopes=["chat"])
    keys = Keys(path)
    path.write_text("{")
    for _ in range(2):
        with pytest.raises(InputError):
            keys.visitor(key)


@pytest.mark.parametrize(
    ("name", "scopes", "match"),
    [("A B", ["chat"], "1 to 40"), ("a_b", ["chat"], "1 to 40"), ("a", ["all"], "got all"), ("a", [], "got none")],
)
def test_a_key_needs_a_name_and_scopes(tmp_path, name, scopes, match):
    with pytest.raises(InputError, match=match):
        add_key(tmp_path / "keys.json", name, scopes=scopes)


def test_names_are_given_once(tmp_path):
    path = tmp_path / "keys.json"
    add_key(path, "a", scopes=["chat"], expires=date(2099, 1, 1))
    with pytest.raises(InputError, match="already"):
        add_key(path, "a", scopes=["chat"])
    with pytest.raises(InputError, match="one of a"):
        remove_key(path, "b")

"""API keys: made once, kept as hashes, each with an id and scopes.

A key reads `osler_ID_SECRET`. The secret is 256 random bits, so one SHA-256 of it cannot be guessed back; a slow hash,
which protects the passwords that people choose, would add nothing but its milliseconds to every request.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field

from osler.core.config import Config
from osler.core.errors import InputError
from osler.core.files import read_json, write_json

Scope = Literal["chat", "study", "metrics", "admin"]
SCOPES: tuple[str, ...] = get_args(Scope)
_PREFIX = "osler"
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
_PRIVATE = 0o600
_NOBODY = "0" * 64


@dataclass(frozen=True)
class Visitor:
    """Who asks, and what they may ask for."""

    who: str
    scopes: frozenset[str]


class StoredKey(Config):
    """A key as the file holds it. `expires` is the first day on which it is refused; null never comes."""

    id: str = Field(pattern=_ID.pattern)
    scopes: tuple[Scope, ...] = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: date
    expires: date | None = None


class Keys:
    """The keys of one file. A change of the file counts from the next request on: a key is revoked by removing it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._keys: dict[str, StoredKey] = {}
        self._refresh()
        if not self._keys:
            raise InputError(
                f"{path} holds no key", fix=f"Make one: `osler keys add {path} id=ward-3 scopes=[chat,study]`."
            )

    def visitor(self, key: str) -> Visitor | None:
        """Whose key this is; None where it is nobody's. Takes equally long for a wrong secret and for a wrong id."""
        self._refresh()
        prefix, _, rest = key.partition("_")
        name, _, secret = rest.partition("_")
        stored = self._keys.get(name)
        is_same = hmac.compare_digest(_sha256(secret), stored.sha256 if stored else _NOBODY)
        if stored is None or not is_same or prefix != _PREFIX:
            return None
        if stored.expires is not None and datetime.now(UTC).date() >= stored.expires:
            return None
        return Visitor(stored.id, frozenset(stored.scopes))

    def _refresh(self) -> None:
        """Read the file anew if it was changed. One that has become unreadable admits nobody."""
        try:
            found = self.path.stat()
        except OSError as error:
            self._keys, self._seen = {}, None
            raise InputError(
                f"cannot read the keys in {self.path}",
                fix=f"Make one: `osler keys add {self.path} id=ward-3 scopes=[chat,study]`.",
            ) from error
        seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        if seen == self._seen:
            return
        self._keys, self._seen = {}, None
        self._keys = {key.id: key for key in read_keys(self.path)}
        self._seen = seen


def read_keys(path: Path) -> list[StoredKey]:
    """The keys of a file, in their order. Raises InputError where the file is none."""
    found: Any = read_json(path)
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise InputError(f"{path} is no file of keys", expected='{"keys": [...]}', fix="Make it with `osler keys add`.")
    return [StoredKey.parse(entry, f"{path} key {number}") for number, entry in enumerate(found["keys"], start=1)]


def add_key(path: Path, name: str, *, scopes: Iterable[str], expires: date | None = None) -> str:
    """Add a key to the file, which is made where there is none, and return the key: it is shown this once.

    Raises:
        InputError: the name is none or is taken, a scope is unknown.
    """
    if not _ID.fullmatch(name):
        raise InputError(
            "a key's id is 1 to 40 of a-z, 0-9, '-' and '.'", fix="Name the machine or service, no person."
        )
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not list(scopes):
        raise InputError(
            "a key needs scopes", expected=f"some of {', '.join(SCOPES)}", got=", ".join(unknown) or "none"
        )
    before = read_keys(path) if path.exists() else []
    if any(key.id == name for key in before):
        raise InputError(f"{path} has a key {name!r} already", fix="Remove it first, or choose another id.")
    secret = secrets.token_urlsafe(32)
    today = datetime.now(UTC).date()
    entry = {"id": name, "scopes": list(scopes), "sha256": _sha256(secret), "created": today, "expires": expires}
    _write(path, [*before, StoredKey.model_validate(entry)])
    return f"{_PREFIX}_{name}_{secret}"


def remove_key(path: Path, name: str) -> None:
    """Take a key out of the file. Raises InputError where it is not in there."""
    before = read_keys(path)
    kept = [key for key in before if key.id != name]
    if len(kept) == len(before):
        raise InputError(f"{path} has no key {name!r}", expected=f"one of {', '.join(key.id for key in before)}")
    _write(path, kept)


def _write(path: Path, keys: list[StoredKey]) -> None:
    write_json(path, {"keys": [key.model_dump(mode="json") for key in keys]})
    path.chmod(_PRIVATE)


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", errors="surrogateescape")).hexdigest()

"""Config: the `audit` part of a service's recipe, and the keys that a site makes once."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, PositiveFloat, PositiveInt

from osler.core.config import Config
from osler.core.errors import InputError
from osler.serve.audit.log import AuditLog, Upkeep
from osler.serve.signature import PublicKey, make_key, read_private, read_signer, write_private

SIGNING_KEY, DIGEST_KEY = "audit-signing.key", "digest.key"
_HEX = re.compile(rb"[0-9a-f]{64}\n?")


class AuditConfig(Config):
    """Where the trail is kept and for how long. What is null lies below --out: `audit`, `checkpoints` and `keys`.

    folder: of the entries. checkpoints: of the signed statements; another disk or machine is best.
    signing_key: file of the private key that signs. digest_key: file of the key of all digests. Where both are
        null, they are made at the first start.
    segment_entries, segment_days: when a new file begins. keep_days: how long entries stay; null keeps them all.
    checkpoint_entries: after how many entries a statement is kept for good.
    """

    folder: Path | None = None
    checkpoints: Path | None = None
    signing_key: Path | None = None
    digest_key: Path | None = None
    segment_entries: PositiveInt = Upkeep.segment_entries
    segment_days: PositiveFloat = Upkeep.segment_days
    keep_days: float | None = Field(default=Upkeep.keep_days, ge=1)
    checkpoint_entries: PositiveInt = Upkeep.checkpoint_entries


@dataclass(frozen=True)
class OpenAudit:
    """A trail that is held. digest_key: of all digests. said: what the operator should know."""

    log: AuditLog
    digest_key: bytes
    said: list[str]


@contextmanager
def open_audit(config: AuditConfig, out: Path) -> Iterator[OpenAudit]:
    """Hold the trail for one service; its end is signed when the block ends.

    Raises:
        InputError: a key is missing or open to others, or the trail cannot be written or is not what was signed.
    """
    folder, checkpoints = config.folder or out / "audit", config.checkpoints or out / "checkpoints"
    said = _first_keys(config, out / "keys", is_new=not folder.exists())
    log = AuditLog(
        folder,
        checkpoints=checkpoints,
        signer=read_signer(config.signing_key or out / "keys" / SIGNING_KEY),
        upkeep=Upkeep(config.segment_entries, config.segment_days, config.keep_days, config.checkpoint_entries),
    )
    digest_key = read_digest_key(config.digest_key or out / "keys" / DIGEST_KEY)
    said += log.open()
    try:
        yield OpenAudit(log, digest_key, said)
    finally:
        log.close()


def _first_keys(config: AuditConfig, folder: Path, *, is_new: bool) -> list[str]:
    if config.signing_key or config.digest_key or (folder / SIGNING_KEY).exists() or not is_new:
        return []
    fingerprint = make_keys(folder).fingerprint
    return [f"made the audit trail's keys in {folder}; keep their fingerprint elsewhere: {fingerprint}"]


def make_keys(folder: Path) -> PublicKey:
    """Write a signing key and a digest key to `folder`. Raises InputError where one is there already."""
    digest = folder / DIGEST_KEY
    if digest.exists():
        raise InputError(f"{digest} is there already", fix="With another key, earlier digests say nothing any more.")
    public = make_key(folder / SIGNING_KEY)
    write_private(digest, secrets.token_hex(32).encode("ascii") + b"\n")
    return public


def read_digest_key(path: Path) -> bytes:
    """The 32 bytes of a digest key. Raises InputError where there are none or others can read them."""
    data = read_private(path)
    if not _HEX.fullmatch(data):
        raise InputError(f"{path} is no digest key", expected="64 hexadecimal digits", fix="`osler audit keys DIR`")
    return bytes.fromhex(data.decode("ascii"))

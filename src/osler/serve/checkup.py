"""Checkup: everything that a recipe of `osler serve` needs of this machine, looked at without starting anything."""

import errno
import secrets
import shutil
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from osler.core.config import Recipe
from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.serve.audit.config import DIGEST_KEY, SIGNING_KEY, read_digest_key
from osler.serve.audit.verify import verify
from osler.serve.config import ServeConfig, TlsConfig
from osler.serve.keys import read_keys
from osler.serve.model_files import verified_sha256
from osler.serve.signature import read_private, read_signer

_CONNECT_S = 2.0
_SOON_DAYS = 30
_WORLD = 0o077
_MIB = 2**20


def parse(recipe: Recipe) -> ServeConfig:
    """The recipe, checked."""
    return ServeConfig.parse(recipe)


def checks(config: ServeConfig, out: Path) -> dict[str, Callable[[], str]]:
    """What to look at by name. Each says what it found, or raises InputError or OSError where the service needs more.

    Args:
        config: of the service.
        out: the folder that the service writes to.
    """
    audit = config.audit
    keys = out / "keys"
    signing, digest = audit.signing_key or keys / SIGNING_KEY, audit.digest_key or keys / DIGEST_KEY
    folder, checkpoints = audit.folder or out / "audit", audit.checkpoints or out / "checkpoints"
    found: dict[str, Callable[[], str]] = {
        "engine": lambda: _engine(config),
        "keys file": lambda: _keys(config.keys),
        "port": lambda: _port(config.listen.host, config.listen.port),
        "folder to write to": lambda: _room(out, config.min_free_mib),
        "audit folder": lambda: _room(folder, config.min_free_mib),
        "checkpoints": lambda: _room(checkpoints, 1),
        "audit keys": lambda: _audit_keys(signing, digest, is_new=not folder.exists()),
    }
    if folder.is_dir() and signing.is_file():
        found["audit trail"] = lambda: _trail(folder, checkpoints, signing)
    if config.listen.tls is not None:
        tls = config.listen.tls
        found["certificate"] = lambda: _certificate(tls)
    return found


def _engine(config: ServeConfig) -> str:
    if config.embedded is not None:
        sha256 = verified_sha256(config.embedded.model, config.embedded.manifest)
        if config.embedded.sha256 not in {None, sha256}:
            raise InputError("another model", expected=f"sha256 {config.embedded.sha256}", got=sha256)
        return f"{config.embedded.model}, sha256 {sha256}, every file as its manifest says"
    url = urlsplit(config.external.url if config.external is not None else "")
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((url.hostname or "", port), timeout=_CONNECT_S).close()
    except OSError as error:
        raise InputError(f"nothing answers at {url.hostname} port {port}", fix="Start the engine.") from error
    return f"something answers at {url.hostname} port {port}"


def _keys(path: Path) -> str:
    keys, mode = read_keys(path), path.stat().st_mode
    if not keys:
        raise InputError(f"{path} holds no key", fix=f"Make one: `osler keys add {path} id=ward-3 scopes=[chat]`.")
    if mode & _WORLD:
        raise InputError(
            f"others can reach {path}", expected="mode 600", got=f"{mode & 0o777:o}", fix=f"Say `chmod 600 {path}`."
        )
    today = datetime.now(UTC).date()
    num_live = sum(key.expires is None or key.expires > today for key in keys)
    if not num_live:
        raise InputError(f"every key in {path} has expired", fix="Make a new one.")
    return f"{path}: {num_live} of {len(keys)} keys are live"


def _port(host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError(
                f"cannot listen on {host} port {port}: {reason}",
                fix="A service that runs already holds it; stop that one, or choose another port.",
            ) from error
    return f"{host} port {port} is free" if port else f"{host}, any free port"


def _room(folder: Path, min_free_mib: int) -> str:
    """Whether files can be written there, or where the folder would be made."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    probe = there / f".probe-{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise InputError(f"cannot write to {there}: {'the disk is full' if full else error.strerror}") from error
    free_mib = shutil.disk_usage(there).free // _MIB
    if free_mib < min_free_mib:
        raise InputError(f"{free_mib} MiB are free at {there}", expected=f"at least {min_free_mib} MiB")
    return f"{folder}: writable, {free_mib:,} MiB free"


def _audit_keys(signing: Path, digest: Path, *, is_new: bool) -> str:
    if is_new and not signing.exists() and not digest.exists():
        return f"none yet: made at the first start, in {signing.parent}"
    signer = read_signer(signing)
    read_digest_key(digest)
    return f"{signing.parent}: fingerprint {signer.public.fingerprint}"


def _trail(folder: Path, checkpoints: Path, signing: Path) -> str:
    report = verify(folder, checkpoints=checkpoints, key=read_signer(signing).public.fingerprint)
    if report.problems:
        raise InputError(
            f"{len(report.problems)} problems, such as: {report.problems[0]}",
            fix="Run `osler audit verify`. Keep these folders as they are and begin a new trail in new ones.",
        )
    return f"{folder}: whole, {report.count:,} entries"


def _certificate(tls: TlsConfig) -> str:
    read_private(tls.private_key)
    try:
        certificate = x509.load_pem_x509_certificate(existing_file(tls.certificate).read_bytes())
    except ValueError as error:
        raise InputError(f"{tls.certificate} holds no certificate", expected="a PEM file") from error
    now, end = datetime.now(UTC), certificate.not_valid_after_utc
    if not certificate.not_valid_before_utc <= now < end:
        raise InputError(f"{tls.certificate} is not valid now", expected=f"a date before {end:%Y-%m-%d}")
    days = (end - now).days
    return f"{tls.certificate}: valid for {days} days" + (" only: renew it" if days < _SOON_DAYS else "")

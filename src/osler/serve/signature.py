"""Signature: ed25519 keys in files, and what they vouch for. A key is trusted for its fingerprint, never for its place.

A private key is PKCS #8 and a public one SubjectPublicKeyInfo, both PEM, so that openssl reads them too.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from osler.core.errors import InputError
from osler.core.files import existing_file, write_text

PUBLIC_SUFFIX = ".pub"
_PRIVATE_MODE = 0o600
_OPEN_TO_OTHERS = 0o037
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PublicKey:
    """Who may have signed."""

    key: Ed25519PublicKey

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the 32 raw bytes, in hexadecimal."""
        return hashlib.sha256(self.key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()

    @property
    def pem(self) -> bytes:
        """The one PEM file of this key."""
        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def vouches(self, signature: bytes, data: bytes) -> bool:
        """Whether the key's owner signed exactly these bytes."""
        try:
            self.key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """A private key."""

    key: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """The other half."""
        return PublicKey(self.key.public_key())

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self.key.sign(data)


def make_key(path: Path) -> PublicKey:
    """Write a new private key to `path`, for its owner's eyes only, and its public half to `path`.pub.

    Raises:
        InputError: one of the files is there already.
    """
    public_path = path.with_name(path.name + PUBLIC_SUFFIX)
    for taken in (path, public_path):
        if taken.exists():
            raise InputError(
                f"{taken} is there already", fix="A key is never overwritten: remove it, or name another file."
            )
    signer = Signer(Ed25519PrivateKey.generate())
    write_private(path, signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_text(public_path, signer.public.pem.decode("ascii"))
    return signer.public


def write_private(path: Path, data: bytes) -> None:
    """Write a secret to a new file that only its owner can read from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_MODE)
    with os.fdopen(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_private(path: Path) -> bytes:
    """The bytes of a secret. Raises InputError where others than its owner and group can read it, or can write it."""
    mode = existing_file(path).stat().st_mode
    if mode & _OPEN_TO_OTHERS:
        raise InputError(
            f"{path} is a secret that others can reach",
            expected="mode 600 or 640",
            got=f"{mode & 0o777:o}",
            fix=f"Say `chmod 600 {path}`; if others may have read it, make a new one.",
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def read_signer(path: Path) -> Signer:
    """The private key in a file. Raises InputError where there is none or others can read it."""
    try:
        key = load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(
            f"{path} holds no private key", expected="an ed25519 key as PEM, without a password", fix=_HOW
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path} holds another kind of key", expected="ed25519", fix=_HOW)
    return Signer(key)


def public_key(pem: bytes, where: str) -> PublicKey:
    """The public key of a PEM file. Raises InputError where it is none, or is written in another way than ours.

    Another way of writing the same key is refused, so that no byte of the file can change unseen.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{where} holds no public key", expected="an ed25519 key as PEM") from error
    if not isinstance(key, Ed25519PublicKey) or PublicKey(key).pem != pem:
        raise InputError(f"{where} was changed", expected="an ed25519 key as PEM, as it was written")
    return PublicKey(key)


def trusted_key(pem: bytes, where: str, *, key: str) -> PublicKey:
    """The public key of a PEM file that comes with signed things, if it is the one that the user trusts.

    Args:
        pem: the file's bytes.
        where: its name, for messages.
        key: what the user trusts: a fingerprint, or a file with the public key.

    Raises:
        InputError: it is another key.
    """
    trusted = key.strip().lower()
    if not _FINGERPRINT.fullmatch(trusted):
        path = existing_file_of_key(key)
        trusted = public_key(path.read_bytes(), str(path)).fingerprint
    found = public_key(pem, where)
    if found.fingerprint != trusted:
        raise InputError(
            f"{where} is not the key that you trust",
            expected=trusted,
            got=found.fingerprint,
            fix="Ask whoever made it for the fingerprint, by another way than the one the files took.",
        )
    return found


def existing_file_of_key(key: str) -> Path:
    """The file with a public key. Raises InputError where `key` is neither that nor a fingerprint."""
    if not key.strip() or not Path(key).is_file():
        raise InputError(
            f"no key to trust at {key!r}", expected="a fingerprint of 64 hexadecimal digits, or a file FILE.pub"
        )
    return Path(key)


_HOW = "Make one: `osler bundle keys FILE` or `osler audit keys DIR`."

"""The key of a de-identification, and the pseudonyms that only its holder can make again."""

import hashlib
import hmac
import stat
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.media.dicom import digest_uid

MIN_KEY_BYTES = 32
_MIN_DISTINCT = 8
_LONGEST_SHIFT_DAYS = 3650
_TOKEN_CHARS = 20


def read_key(path: Path) -> bytes:
    """The bytes of a key file. They are never printed, and nothing derived from them but pseudonyms is stored.

    Raises:
        InputError: no file, readable by others than its owner, shorter than 32 bytes, or plainly not random.
    """
    path = existing_file(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise InputError(
            f"the key file {path} can be used by others than its owner",
            expected="mode 600 or 400",
            got=f"{mode:o}",
            fix=f"chmod 600 {path}",
        )
    key = path.read_bytes()
    if len(key) < MIN_KEY_BYTES:
        raise InputError(
            f"the key file {path} is too short",
            expected=f"at least {MIN_KEY_BYTES} bytes",
            got=f"{len(key)}",
            fix=f"head -c 32 /dev/urandom > {path}",
        )
    if len(set(key)) < _MIN_DISTINCT:
        raise InputError(f"the key file {path} is not random", fix=f"head -c 32 /dev/urandom > {path}")
    return key


@dataclass(frozen=True)
class Pseudonyms:
    """Stand-ins for what identifies: the same key and the same original give the same stand-in."""

    key: bytes = field(repr=False)

    def token(self, kind: str, *names: str) -> str:
        """A name such as `p-1c0e...`; `kind` (patient, study, ...) gives its first letter and keeps kinds apart."""
        return f"{kind[0]}-{self._digest(kind, *names).hex()[:_TOKEN_CHARS]}"

    def uid(self, original: str) -> str:
        """A DICOM UID that stands for `original` (`dicom.digest_uid`)."""
        return digest_uid(self._digest("uid", original))

    def shift(self, patient: str) -> timedelta:
        """By how much a patient's dates are moved: back by 1 to 3650 days, one number for all, so intervals stay."""
        number = int.from_bytes(self._digest("shift", patient)[:8], "big")
        return timedelta(days=-1 - number % _LONGEST_SHIFT_DAYS)

    def share(self, patient: str) -> float:
        """A number in [0, 1) that sorts patients into splits."""
        return int.from_bytes(self._digest("share", patient)[:6], "big") / 2**48

    def fingerprint(self) -> str:
        """Tells two keys apart, so that a cut run is not continued with another one."""
        return self._digest("fingerprint").hex()[:16]

    def _digest(self, *names: str) -> bytes:
        return hmac.new(self.key, "\x1f".join(names).encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

"""Names: what a bundle's files are called, and which names a bundle or an archive may not hold.

The alphabet is small on purpose: what it leaves out (backslash, colon, NUL, everything beyond ASCII) is what paths are
broken out of a folder with, or seen alike by one system and apart by another.
"""

import re

from osler.core.errors import InputError

SUMS, SIGNATURE, KEY = "SHA256SUMS", "SHA256SUMS.sig", "signing.pub"
MANIFEST, LOCK, SBOM, CARD = "manifest.json", "requirements.lock", "sbom.cdx.json", "MODEL_CARD.md"
MODEL, WHEELS, PAGE, DOCS, DEPLOY = "model", "wheels", "page", "docs", "deploy"
UNLISTED = frozenset({SUMS, SIGNATURE, KEY})

_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._+!@~=, -]*[A-Za-z0-9_+!@~=-])?")
_DEVICES = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")
_MAX_CHARS, _MAX_PARTS = 255, 20
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")


def why_unsafe(name: str) -> str:
    """Why no file of a bundle may have this path; "" where one may."""
    if not name or len(name) > _MAX_CHARS * 4:
        return "empty or too long"
    parts = name.split("/")
    if len(parts) > _MAX_PARTS or any(len(part) > _MAX_CHARS for part in parts):
        return "too deep or too long"
    if ".." in parts or "." in parts or "" in parts:
        return "not a plain path below the bundle"
    if not all(_PART.fullmatch(part) for part in parts):
        return "a character, or a first or last one, that names in a bundle do not have"
    if any(_DEVICES.fullmatch(part) for part in parts):
        return "a device on some systems"
    return ""


def refuse_unsafe(names: list[str], where: str) -> None:
    """Raises InputError where a name is unsafe, or two are one file on a disk that does not tell cases apart."""
    seen: dict[str, str] = {}
    for name in names:
        reason = why_unsafe(name)
        if reason:
            raise InputError(f"{where} holds {name!r}: {reason}", fix="Rename it, or do not trust what holds it.")
        if name.casefold() in seen:
            raise InputError(f"{where} holds {seen[name.casefold()]!r} and {name!r}, which are one file on some disks")
        seen[name.casefold()] = name


def sums_text(sums: dict[str, str]) -> str:
    """The lines that `sha256sum -c` reads."""
    return "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(sums.items()))


def read_sums(data: bytes, where: str) -> dict[str, str]:
    """The hashes by name. Raises InputError where the text is not exactly what `sums_text` writes."""
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is no list of hashes") from error
    found = [_SUM.fullmatch(line) for line in lines[:-1]]
    sums = {match[2]: match[1] for match in found if match is not None}
    refuse_unsafe(list(sums), where)
    if sums_text(sums).encode() != data:
        raise InputError(f"{where} is no list of hashes", expected="sorted lines of a hash, two spaces and a name")
    return sums

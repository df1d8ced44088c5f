"""Verify: is a bundle, as a folder or as an archive, exactly what the trusted key's owner signed?"""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from osler.core.config import Config
from osler.core.errors import InputError
from osler.core.files import existing_file, existing_folder
from osler.serve.bundle.archive import is_archive, members
from osler.serve.bundle.examine import examine
from osler.serve.bundle.names import KEY, SIGNATURE, SUMS, UNLISTED, read_sums
from osler.serve.signature import trusted_key

_MAX_LIST_BYTES = 64 << 20
_SIGNATURE_BYTES = 64
_THREADS = 4


class VerifyOptions(Config):
    """What `osler bundle verify` is told besides: the fingerprint, or the public key file, of who may have built it."""

    key: str


@dataclass
class Verified:
    """What was found; `problems` holds a line each and is empty where all is as signed.

    sums: the signed hashes. num_bytes: of the files that were read.
    """

    fingerprint: str
    sums: dict[str, str]
    num_bytes: int = 0
    problems: list[str] = field(default_factory=list)


def verify(bundle: Path, *, key: str) -> Verified:
    """Check the signature, then every file against the signed hashes, and that none is missing or added.

    Args:
        bundle: a folder or a tar file.
        key: whom to trust: a fingerprint or a public key file.

    Raises:
        InputError: no bundle there; not signed, or by another key; the signed list itself was changed.
    """
    return _verify_archive(bundle, key) if is_archive(bundle) else _verify_folder(bundle, key)


def _verify_folder(folder: Path, key: str) -> Verified:
    found = _signed({name: _small(existing_folder(folder) / name) for name in UNLISTED}, str(folder), key)
    there = dict(_walk(folder, found.problems))
    names = sorted(there.keys() & found.sums.keys())

    def read(name: str) -> tuple[str, str, int]:
        with there[name].open("rb") as file:
            return *examine(name, file), file.tell()

    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        for name, (sha256, problem, size) in zip(names, pool.map(read, names), strict=True):
            found.num_bytes += size
            _compare(found, name, sha256, problem)
    _compare_names(found, set(there))
    return found


def _verify_archive(path: Path, key: str) -> Verified:
    """One pass, nothing written."""
    listed: dict[str, bytes] = {}
    hashes: dict[str, tuple[str, str]] = {}
    for name, file in members(path):
        if name in UNLISTED:
            listed[name] = file.read(_MAX_LIST_BYTES)
        else:
            hashes[name] = examine(name, file)
    missing = sorted(UNLISTED - listed.keys())
    if missing:
        raise InputError(f"{path} is no bundle", expected=f"{missing[0]} in it", got="nothing")
    found = _signed(listed, str(path), key)
    found.num_bytes = path.stat().st_size
    for name in sorted(hashes.keys() & found.sums.keys()):
        _compare(found, name, *hashes[name])
    _compare_names(found, hashes.keys() | UNLISTED)
    return found


def _signed(files: dict[str, bytes], where: str, key: str) -> Verified:
    """The signed hashes, if the signature holds."""
    public = trusted_key(files[KEY], f"{where}/{KEY}", key=key)
    if len(files[SIGNATURE]) != _SIGNATURE_BYTES or not public.vouches(files[SIGNATURE], files[SUMS]):
        raise InputError(
            f"the signature of {where} does not fit its {SUMS}",
            expected=f"a list signed by {public.fingerprint}",
            fix="Do not install it: copy it again, and ask whoever built it.",
        )
    return Verified(public.fingerprint, read_sums(files[SUMS], f"{where}/{SUMS}"))


def _small(path: Path) -> bytes:
    with existing_file(path).open("rb") as file:
        return file.read(_MAX_LIST_BYTES)


def _walk(folder: Path, problems: list[str]) -> Iterator[tuple[str, Path]]:
    """Every plain file; whatever is neither that nor a folder with something in it is a problem."""

    def refuse(error: OSError) -> None:
        problems.append(f"{error.filename}: cannot be read")

    for top, folders, files in os.walk(folder, onerror=refuse):
        if not folders and not files and Path(top) != folder:
            problems.append(
                f"{Path(top).relative_to(folder).as_posix()}: an empty folder that the bundle does not have"
            )
        for name in [*folders, *files]:
            path = Path(top) / name
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                yield path.relative_to(folder).as_posix(), path
            elif not stat.S_ISDIR(mode):
                problems.append(f"{path.relative_to(folder).as_posix()}: a link or device, not a file")


def _compare(found: Verified, name: str, sha256: str, problem: str) -> None:
    if sha256 != found.sums[name]:
        found.problems.append(f"{name}: changed; expected sha256 {found.sums[name]}, got {sha256}")
    if problem:
        found.problems.append(f"{name}: {problem}")


def _compare_names(found: Verified, there: set[str]) -> None:
    found.problems += [f"{name}: missing" for name in sorted(found.sums.keys() - there)]
    found.problems += [f"{name}: added" for name in sorted(there - found.sums.keys() - UNLISTED)]

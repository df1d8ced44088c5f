"""Archive: a bundle as one tar file, for the way there. It is read as if it came from a stranger.

Members are plain files under names that `names` allows; directories are made, never read. Nothing is ever taken from a
member but its name and bytes: no links, owners, modes or times.
"""

import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.serve.bundle.names import why_unsafe

_CHUNK = 1 << 20
_MODE = 0o644


def pack(folder: Path, path: Path) -> None:
    """Write all files of a folder to a tar, the same bytes for the same files."""
    part = path.with_name(f".{path.name}.part")
    with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
        for file in sorted(each for each in folder.rglob("*") if each.is_file()):
            info = tarfile.TarInfo(f"{path.stem}/{file.relative_to(folder).as_posix()}")
            info.size, info.mode = file.stat().st_size, _MODE
            with file.open("rb") as data:
                tar.addfile(info, data)
    part.replace(path)


def is_archive(path: Path) -> bool:
    """Whether this is a file, so no folder of a bundle."""
    return path.is_file()


def members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The name below the archive's one folder, and the bytes, of every file.

    Raises:
        InputError: it is no tar, or holds a link, a device, an unsafe name, or a name twice.
    """
    names: set[str] = set()
    with _opened(path) as tar:
        for info in _infos(tar, path):
            if info.isdir() and not why_unsafe(info.name.rstrip("/")):
                continue
            name = _safe_name(info, path)
            if name.casefold() in names:
                raise InputError(f"{path} holds {name!r} twice")
            names.add(name.casefold())
            file = tar.extractfile(info)
            if file is None:
                raise InputError(f"{path} holds {name!r}, which has no bytes")
            yield name, file


def unpack(path: Path, into: Path) -> None:
    """Write the files of an archive below `into`, a new folder of ours. Raises InputError as `members` does."""
    into.mkdir(parents=True, exist_ok=True)
    for name, file in members(path):
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE), "wb") as out:
            while chunk := file.read(_CHUNK):
                out.write(chunk)


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(existing_file(path), "r:") as tar:
            yield tar
    except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
        raise InputError(f"{path} is no tar file, or is cut off", fix="Copy it again.") from error


def _infos(tar: tarfile.TarFile, path: Path) -> Iterator[tarfile.TarInfo]:
    end = path.stat().st_size
    for info in tar:
        if info.offset_data + info.size > end:
            raise InputError(f"{path} is cut off within {info.name!r}", fix="Copy it again.")
        yield info
    with path.open("rb") as file:
        file.seek(tar.offset)
        rest = file.read(end - tar.offset)
    if rest.strip(b"\0"):
        raise InputError(f"{path} holds bytes that are no file of its", fix="Copy it again.")


def _safe_name(info: tarfile.TarInfo, path: Path) -> str:
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.sparse is not None:
        kind = {tarfile.SYMTYPE: "a symbolic link", tarfile.LNKTYPE: "a hard link"}.get(info.type, "no plain file")
        raise InputError(f"{path} holds {info.name!r}, {kind}", expected="plain files", fix="Do not trust it.")
    reason = why_unsafe(info.name)
    if not reason and "/" not in info.name:
        reason = "not in the archive's one folder"
    if reason:
        raise InputError(f"{path} holds {info.name!r}: {reason}", fix="Do not trust it.")
    return info.name.split("/", 1)[1]

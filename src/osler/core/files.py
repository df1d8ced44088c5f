"""Files that are whole or absent: atomic writes, hashes, JSON and JSON lines."""

import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from osler.core.errors import DiskFullError, InputError

_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def atomic_write(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path`; rename it onto `path` when the block ends well.

    A kill at any moment leaves the old file or the new one, never a part. The temporary name is
    fixed (`.NAME.part`), so a rerun overwrites what a killed run left.

    Raises:
        DiskFullError: no space is left; the temporary file is removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open(mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno in _FULL:
            raise DiskFullError(
                f"no space left while writing {path}; free some space and run the same command again"
            ) from error
        raise
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def private_folder(parent: Path, prefix: str = ".part-") -> Iterator[Path]:
    """A new hidden folder below `parent` that no other process writes to; gone after the block.

    What is written there and then renamed into `parent` is whole or absent, whoever else writes the same files.
    """
    folder = parent / f"{prefix}{secrets.token_hex(8)}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def shared_file(path: Path) -> Iterator[Path]:
    """Where to write what becomes `path` after the block.

    For a file that several processes write at the same moment, all with the same content: whoever is last, it is whole.
    """
    with private_folder(path.parent) as folder:
        yield folder / path.name
        (folder / path.name).replace(path)


def publish_once(part: Path, path: Path) -> bool:
    """Move a finished file to `path` unless there is one; False where another process was first.

    Where the file system has no hard links, of two processes that come within the same moment both are first.
    """
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except OSError:
        if path.exists():
            return False
        part.replace(path)
    return True


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys, atomically."""
    with atomic_write(path, "w") as file:
        json.dump(value, file, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_write(path, "w") as file:
        file.write(text)


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises InputError where it is missing or not JSON."""
    try:
        return json.loads(existing_file(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is not valid JSON: {error}") from error


def read_jsonl(path: Path) -> Iterator[Any]:
    """The values of a JSON-lines file, one a line. Raises InputError naming the line that is not JSON."""
    with existing_file(path).open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise InputError(f"{path} line {number} is not valid JSON: {error}") from error


def existing_file(path: Path) -> Path:
    """`path` itself, if it is a file. Raises InputError that says what is there instead."""
    path = Path(path)
    if path.is_file():
        return path
    got = "a folder" if path.is_dir() else "nothing at that path"
    raise InputError(f"cannot read {path}", expected="a file", got=got, fix="Check the path.")


def existing_folder(path: Path) -> Path:
    """`path` itself, if it is a folder. Raises InputError that says what is there instead."""
    path = Path(path)
    if path.is_dir():
        return path
    got = "a file" if path.is_file() else "nothing at that path"
    raise InputError(f"cannot read {path}", expected="a folder", got=got, fix="Check the path.")


def sha256_bytes(data: bytes) -> str:
    """The SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file's bytes in hexadecimal."""
    with existing_file(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_json(value: Any) -> str:
    """The SHA-256 of `value` as canonical JSON: sorted keys, no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256_bytes(text.encode("utf-8"))

"""The output folder of a command: new, cut or finished; one run at a time; never another recipe's.

`started.json` is written first and holds the hashes of the recipe and of the inputs; `recipe.yaml` is the
resolved recipe; `manifest.json` is written last, so a folder that holds it is finished.

Several commands that share their work share the folder, too (`shared`). The first to come writes `started.json`, the
others check theirs against it; nobody clears the folder, and the last to end writes the manifest. This takes no lock
that a network disk might lack: each file is made under a name of its own and then linked or renamed.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from osler.core.config import Recipe, save_recipe
from osler.core.errors import InputError
from osler.core.files import private_folder, publish_once, read_json, sha256_file, sha256_json, write_json

LOCK = ".lock"
STARTED = "started.json"
RECIPE = "recipe.yaml"
MANIFEST = "manifest.json"
_BOOKKEEPING = {STARTED, MANIFEST}
# A training's own: what it goes on from, and curves whose files bear the machine's name.
_PASSING = {"checkpoints", "logs"}
_PART = ".part-"


@dataclass(frozen=True)
class Started:
    """A folder in which work may go on."""

    recipe_sha256: str
    inputs: dict[str, str]
    started: str


@dataclass(frozen=True)
class Finished:
    """A folder whose work is done, from the same recipe and the same inputs."""


@contextmanager
def open_folder(
    out: Path, recipe: Recipe, inputs: list[Path], *, overwrite: bool, shared: bool = False
) -> Iterator[Started | Finished]:
    """Hold `out` for one run of the resolved `recipe`; where it is `shared`, together with others of the same recipe.

    Raises:
        InputError: another run holds the folder, it belongs to another recipe or to no command at all, an
            input is missing, unfinished or lies inside the folder, or an input has changed since the start; a shared
            folder is to be overwritten.
    """
    _refuse_foreign(out, inputs)
    hashes = {str(path): tree_sha256(_finished_input(path)) for path in inputs}
    out.mkdir(parents=True, exist_ok=True)
    with _locked(out, shared=shared):
        now = datetime.now(UTC).isoformat(timespec="seconds")
        fresh = Started(recipe_sha256=sha256_json(recipe), inputs=hashes, started=now)
        if shared and (overwrite or _cleared_halfway(out)):
            raise InputError(
                f"{out} is shared with other ranks, which may be at work in it, and cannot be cleared",
                fix="Remove the folder, then start every rank without --overwrite.",
            )
        if overwrite or _cleared_halfway(out):
            _clear(out)
        for left in [] if shared else out.glob(f"{_PART}*"):
            shutil.rmtree(left)  # of a run that was killed
        yield _enter(out, recipe, fresh)


def tree_sha256(path: Path) -> str:
    """The SHA-256 of a file, or of the names and hashes of all files below a folder.

    Left out are names that begin with a dot and the bookkeeping of osler's own folders (it holds times),
    so that making an input again with the same result leaves its hash as it was.
    """
    if path.is_file():
        return sha256_file(path)
    names = [p for p in sorted(path.rglob("*")) if p.is_file() and p.name not in _BOOKKEEPING and not _hidden(p, path)]
    return sha256_json({p.relative_to(path).as_posix(): sha256_file(p) for p in names})


def reopen(out: Path) -> Started:
    """Let work go on in a finished folder: its manifest goes first, so that a kill leaves an unfinished one."""
    (out / MANIFEST).unlink()
    return Started(**read_json(out / STARTED))


def is_finished(out: Path) -> bool:
    """Has a run filled this folder to its end?"""
    return (out / MANIFEST).is_file()


def output_files(out: Path) -> list[Path]:
    """The files a command wrote: all below `out` but bookkeeping, hidden files, `checkpoints/` and `logs/`."""
    return [
        p
        for p in sorted(out.rglob("*"))
        if p.is_file()
        and p.name not in _BOOKKEEPING
        and not _hidden(p, out)
        and p.relative_to(out).parts[0] not in _PASSING
    ]


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _enter(out: Path, recipe: Recipe, fresh: Started) -> Started | Finished:
    if not (out / STARTED).is_file():
        with private_folder(out, _PART) as folder:
            write_json(folder / STARTED, vars(fresh))
            publish_once(folder / STARTED, out / STARTED)
    before = Started(**read_json(out / STARTED))
    if before.recipe_sha256 != fresh.recipe_sha256:
        raise _other_recipe(out, recipe)
    if before.inputs != fresh.inputs:
        raise _other_inputs(out, before.inputs, fresh.inputs)
    if is_finished(out):
        return Finished()
    with private_folder(out, _PART) as folder:
        save_recipe(folder / RECIPE, recipe)
        (folder / RECIPE).replace(out / RECIPE)
    return before


def _refuse_foreign(out: Path, inputs: list[Path]) -> None:
    """Refuse a folder that no command made, and one that holds an input of this run."""
    if out.exists() and not out.is_dir():
        raise InputError(f"cannot write to {out}", expected="a folder", got="a file")
    for path in inputs:
        if path.resolve().is_relative_to(out.resolve()):
            raise InputError(f"--out {out} holds {path}, which this run reads", fix="Write to another folder.")
    if not out.is_dir() or (out / STARTED).is_file():
        return
    foreign = [path for path in out.iterdir() if path.name != LOCK and not path.name.startswith(_PART)]
    if foreign and not (out / STARTED).is_file():  # unless another rank has just begun
        raise InputError(
            f"{out} holds files that no osler command wrote",
            expected="a new folder, an empty one or an earlier run's",
            fix="Write to another folder.",
        )


def _finished_input(path: Path) -> Path:
    """`path`, if it is there and no run has yet to finish it."""
    if not path.exists():
        raise InputError(f"cannot read {path}", expected="a file or folder", got="nothing", fix="Check the path.")
    for folder in (path, path.parent):
        if (folder / STARTED).is_file() and not (folder / MANIFEST).is_file():
            raise InputError(f"{folder} is not finished", fix="Run the command that makes it to its end first.")
    return path


@contextmanager
def _locked(out: Path, *, shared: bool) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it when the process ends, however it ends.

    A shared folder is locked against a command that wants it alone, where the disk can do that.
    """
    with (out / LOCK).open("a") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"another run is writing to {out}", fix="Wait for it, or write to another folder."
            ) from error
        except OSError:
            if not shared:
                raise
        yield


def _cleared_halfway(out: Path) -> bool:
    return (out / STARTED).is_file() and read_json(out / STARTED) == {}


def _clear(out: Path) -> None:
    """Empty the folder. `started.json` is emptied first and removed last, so that a kill in between shows."""
    if (out / STARTED).is_file():
        write_json(out / STARTED, {})
    (out / MANIFEST).unlink(missing_ok=True)
    for path in out.iterdir():
        if path.name in {LOCK, STARTED}:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    (out / STARTED).unlink(missing_ok=True)


def _other_recipe(out: Path, recipe: Recipe) -> InputError:
    before = yaml.safe_load((out / RECIPE).read_text(encoding="utf-8")) if (out / RECIPE).is_file() else {}
    rows = [f"{key}: {old!r} there, {new!r} here" for key, old, new in differences(before, recipe)]
    return InputError(
        f"{out} holds the output of another recipe ({'; '.join(rows) or 'unknown differences'})",
        fix="Write to another folder, or start again with --overwrite.",
    )


def _other_inputs(out: Path, before: dict[str, str], now: dict[str, str]) -> InputError:
    changed = sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
    return InputError(
        f"{out} was made from inputs that have changed since ({', '.join(changed)})",
        fix="Start again with --overwrite.",
    )


def differences(before: Any, now: Any, key: str = "") -> list[tuple[str, Any, Any]]:
    """The (key, old value, new value) in which two recipes differ; a key that is not there counts as None."""
    if isinstance(before, dict) and isinstance(now, dict):
        names = list(dict.fromkeys([*before, *now]))
        inside = [differences(before.get(n), now.get(n), f"{key}.{n}" if key else str(n)) for n in names]
        return [row for rows in inside for row in rows]
    return [] if before == now else [(key, before, now)]

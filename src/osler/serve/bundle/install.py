"""Install: a verified bundle into a folder of its own, with a virtual environment and without a network."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from osler.core.config import Config
from osler.core.errors import InputError
from osler.core.files import private_folder, read_json, write_json
from osler.core.log import Log
from osler.serve.bundle import names
from osler.serve.bundle.archive import is_archive, unpack
from osler.serve.bundle.examine import examine
from osler.serve.bundle.pip import pip, python_tag
from osler.serve.bundle.verify import Verified, verify

INSTALLED, VENV = "installed.json", "venv"
_STARTED = ".installing"
_TIMEOUT_S = 300
_SHOWN = 3


class InstallOptions(Config):
    """What `osler bundle install` is told besides: the fingerprint, or public key file, of who may have built it."""

    key: str


def install(bundle: Path, *, key: str, into: Path, log: Log) -> str:
    """Verify a bundle, then put it in place. Returns what was installed, in words.

    Args:
        bundle: a folder or a tar file.
        key: whom to trust: a fingerprint or a public key file.
        into: a new or empty folder, or one in which an installation was cut off.
        log: says what is done.

    Raises:
        InputError: the bundle is not what the trusted key's owner signed, or is for another Python; `into` is taken.
    """
    _claim(into)
    if is_archive(bundle):
        with private_folder(into) as folder:
            unpack(bundle, folder)
            return _install(folder, key, into, log)
    return _install(bundle, key, into, log)


def _install(bundle: Path, key: str, into: Path, log: Log) -> str:
    log.info(f"verifying {bundle}")
    verified = verify(bundle, key=key)
    if verified.problems:
        more = len(verified.problems) - _SHOWN
        shown = "; ".join(verified.problems[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        raise InputError(
            f"{bundle} is not what was signed: {shown}", fix="Nothing was installed. Copy the bundle again."
        )
    manifest = _manifest(bundle)
    log.info(f"copying {verified.num_bytes / 2**20:.0f} MiB")
    with private_folder(into) as wheels:
        for name, sha256 in verified.sums.items():
            is_passing = name.startswith(f"{names.WHEELS}/")
            _copy(bundle / name, (wheels if is_passing else into) / name, sha256)
        _make_venv(into, wheels / names.WHEELS, log)
    _try(into, manifest["osler"])
    write_json(into / INSTALLED, _installed(manifest, verified))
    (into / _STARTED).unlink()
    return f"{manifest['name']} (osler {manifest['osler']}) is in {into}: start it with {into / VENV}/bin/osler"


def _claim(into: Path) -> None:
    """Take a new folder, or one whose installation was cut off. Raises InputError where it holds something else."""
    if into.is_dir() and any(into.iterdir()) and not (into / _STARTED).is_file():
        raise InputError(
            f"{into} is not empty", expected="a new folder", fix="Install beside it, then switch the service over."
        )
    try:
        into.mkdir(parents=True, exist_ok=True)
        (into / _STARTED).touch()
        for left in into.iterdir():
            if left.name != _STARTED:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    except OSError as error:
        raise InputError(f"cannot write to {into}: {error.strerror}") from error


def _manifest(bundle: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = read_json(bundle / names.MANIFEST)
    if manifest.get("python") != python_tag():
        raise InputError(
            "the bundle is for another Python or system",
            expected=str(manifest.get("python")),
            got=python_tag(),
            fix="Start this command with that Python, or build the bundle with this one.",
        )
    return manifest


def _copy(source: Path, target: Path, sha256: str) -> None:
    """Copy a file, and be sure of the bytes that were copied, whatever happened since they were verified."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file, target.open("wb") as out:
        copied, _ = examine(source.name, file, copy_to=out.write)
    if copied != sha256:
        raise InputError(f"{source} was changed while it was installed", fix="Verify the bundle and start again.")


def _make_venv(into: Path, wheels: Path, log: Log) -> None:
    log.info(f"making {into / VENV}")
    command = [sys.executable, "-I", "-m", "venv", "--clear", str(into / VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    if done.returncode:
        raise InputError(
            f"no virtual environment: {(done.stderr or done.stdout).strip()[-200:]}",
            fix="Debian keeps it in python3-venv.",
        )
    python = into / VENV / "bin" / "python"
    pip(
        [
            "install", "--quiet", "--no-index", "--no-cache-dir", "--no-deps", "--require-hashes", "--find-links",
            str(wheels.resolve()), "--requirement", str(into / names.LOCK),
        ],
        python=python,
    )  # fmt: skip
    pip(["check"], python=python)


def _try(into: Path, version: str) -> None:
    command = [str(into / VENV / "bin" / "python"), "-I", str(into / VENV / "bin" / "osler"), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    if done.stdout.strip() != version:
        raise InputError("what was installed does not start", expected=version, got=done.stderr.strip()[-200:])


def _installed(manifest: dict[str, Any], verified: Verified) -> dict[str, Any]:
    kept = {name: manifest[name] for name in ("name", "osler", "model_sha256", "python")}
    return {**kept, "signed_by": verified.fingerprint, "num_files": len(verified.sums)}

"""How an output folder was made: written last, so its presence says that the work is done."""

import importlib.metadata
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from osler.cli.outfolder import MANIFEST, Started, output_files
from osler.core.files import private_folder, publish_once, sha256_file, write_json
from osler.core.outcome import Outcome
from osler.schema.manifest import Host, Manifest

_GIT_TIMEOUT_S = 5


def write_manifest(out: Path, *, started: Started, outcome: Outcome, device: str, command: tuple[str, ...]) -> None:
    """Hash what was written and write `manifest.json`, once. Holds no host name and no user name."""
    manifest = Manifest(
        command=("osler", *command),
        recipe_sha256=started.recipe_sha256,
        packages=package_versions(),
        git_commit=_git_commit(),
        seeds=outcome.seeds,
        inputs=started.inputs,
        outputs={p.relative_to(out).as_posix(): sha256_file(p) for p in output_files(out)},
        started=started.started,
        ended=datetime.now(UTC).isoformat(timespec="seconds"),
        host=_host(device),
        counts=outcome.counts,
    )
    with private_folder(out) as folder:
        write_json(folder / MANIFEST, manifest.model_dump(mode="json"))
        publish_once(folder / MANIFEST, out / MANIFEST)


def package_versions() -> dict[str, str]:
    """The installed versions of osler and of every package it declares, but for the tools of its developers."""
    declared = [line for line in importlib.metadata.requires("osler") or [] if "extra == 'dev'" not in line]
    names = ["osler", *sorted({re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in declared})]
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # an extra that is not installed took no part in the run
    return versions


def _git_commit() -> str:
    """The commit of the source tree, `+changes` added where files differ from it; empty outside a checkout."""
    package = Path(__file__).resolve().parents[1]
    if _git("rev-parse", "--show-toplevel", folder=package) != str(package.parents[1]):
        return ""
    commit = _git("rev-parse", "HEAD", folder=package)
    changed = _git("status", "--porcelain", "--untracked-files=no", folder=package)
    return f"{commit}+changes" if commit and changed else commit


def _git(*arguments: str, folder: Path) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _host(device: str) -> Host:
    accelerator = "none"
    if device.startswith("cuda"):
        import torch

        accelerator = torch.cuda.get_device_name(device)
    return Host(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cpu_count=os.cpu_count() or 1,
        accelerator=accelerator,
    )

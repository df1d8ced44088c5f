"""Folders of weights: looked for, hashed, checked against their manifest. Nothing is downloaded, no pickle is read.

A folder may hold `weights.json`, {"FILE": "SHA-256"}: every file named there must be there and be the same.
"""

from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import InputError
from osler.core.files import read_json, sha256_file, sha256_json

MANIFEST = "weights.json"
PICKLED = {".bin", ".pth", ".pt", ".th", ".pkl", ".ckpt"}
GUIDE = "docs/how-to/report-metrics.md"


@dataclass(frozen=True)
class WeightsFolder:
    """A checked folder: its files' hashes by relative path, and one hash over all of them."""

    folder: Path
    files: dict[str, str]

    @property
    def sha256(self) -> str:
        """One hash over names and contents."""
        return sha256_json(self.files)


def missing(folder: Path, needed: tuple[str, ...]) -> str:
    """What is wrong with a folder before any of its files is read; "" where nothing is."""
    folder = Path(folder)
    if not folder.is_dir():
        return f"{folder} is no folder"
    for name in needed:
        if not (folder / name).exists():
            beside = sorted(p.name for p in (folder / name).parent.glob("*") if p.suffix in PICKLED)
            if name.endswith(".safetensors") and beside:
                return f"{folder / name} is missing; {beside[0]} is a pickle and is not read: convert it once ({GUIDE})"
            return f"{folder / name} is missing"
    return ""


def read_folder(folder: Path, needed: tuple[str, ...]) -> WeightsFolder:
    """Hash the folder's files and compare them with its manifest, where it has one.

    Raises:
        InputError: a file is missing, is a pickle in place of safetensors, or is not the one of the manifest.
    """
    folder = Path(folder)
    if reason := missing(folder, needed):
        raise InputError(f"weights cannot be read: {reason}")
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix not in PICKLED and p.name != MANIFEST)
    files = {path.relative_to(folder).as_posix(): sha256_file(path) for path in paths}
    if (folder / MANIFEST).is_file():
        for name, expected in read_json(folder / MANIFEST).items():
            if files.get(name) != expected:
                raise InputError(
                    f"{folder / name} is not the file of {MANIFEST}",
                    expected=str(expected),
                    got=files.get(name, "no such file"),
                )
    return WeightsFolder(folder, files)

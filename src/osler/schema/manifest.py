"""Manifest: how an output folder was made. Holds hashes, never a patient's data."""

from typing import Final, Literal

from osler.schema.base import Record

MANIFEST_VERSION: Final = 1


class Host(Record):
    """The machine, as far as it matters for repeating a run."""

    python: str
    platform: str
    cpu_count: int
    accelerator: str = "none"


class Manifest(Record):
    """Written last into every output folder: a folder with a manifest is finished.

    `inputs` and `outputs` map a path to its SHA-256; output paths are relative to the folder.
    """

    schema_version: Literal[1] = MANIFEST_VERSION
    command: tuple[str, ...]
    recipe_sha256: str
    packages: dict[str, str]
    git_commit: str
    seeds: dict[str, int]
    inputs: dict[str, str]
    outputs: dict[str, str]
    started: str
    ended: str
    host: Host
    counts: dict[str, int] = {}

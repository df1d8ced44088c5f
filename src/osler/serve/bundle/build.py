"""Build: gather wheels, model, page and documents into a folder, list every hash, and sign the list."""

import shutil
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.files import existing_file, existing_folder, sha256_json, write_json, write_text
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.serve.bundle import names
from osler.serve.bundle.archive import pack
from osler.serve.bundle.card import card_text, read_facts
from osler.serve.bundle.examine import examine
from osler.serve.bundle.licences import is_gpl
from osler.serve.bundle.pip import python_tag
from osler.serve.bundle.sbom import sbom_text
from osler.serve.bundle.wheels import Wheel, lock_text, make_wheels, needed_wheels
from osler.serve.model_files import verified_sha256
from osler.serve.signature import Signer, read_signer

FOLDER = "bundle"
_SCHEMA_VERSION = 1
_PAGE = ("osler.serve.page", "files")


class BundleConfig(Config):
    """What goes into a bundle.

    name: of the bundle. model: a folder that `osler train` or `osler export` wrote; null bundles none.
    wheels: a folder with wheels of osler and of all that it needs; null makes one from `source` and `constraints` with
        pip's index. extras: of osler, that the service needs.
    signing_key: a file that `osler bundle keys` wrote.
    docs, deploy: folders that are copied; null leaves them out.
    results: files of results for the model's card.
    allow_gpl: names of packages under the GPL that may be in the bundle.
    archive: write the bundle as one tar file, too.
    """

    name: str = Field(default="osler", pattern=r"^[a-z0-9][a-z0-9.-]{0,60}[a-z0-9]$")
    model: Path | None = None
    wheels: Path | None = None
    source: Path | None = None
    constraints: Path | None = None
    extras: tuple[str, ...] = ("dicom", "serve", "train")
    signing_key: Path
    docs: Path | None = None
    deploy: Path | None = None
    results: tuple[Path, ...] = ()
    allow_gpl: tuple[str, ...] = ()
    archive: bool = False

    @model_validator(mode="after")
    def _has_wheels(self) -> Self:
        if (self.wheels is None) == (self.source is None):
            raise ValueError("give wheels: a folder of wheels, or source: a source tree from which pip makes them")
        if self.source is not None and self.constraints is None:
            raise ValueError("source needs constraints: the file with the exact versions")
        return self


@dataclass(frozen=True)
class Part:
    """A folder of files, and the one in the bundle that it becomes."""

    folder: str
    files: dict[str, Traversable]


def parse(recipe: Recipe) -> BundleConfig:
    """The recipe, checked."""
    return BundleConfig.parse(recipe)


def inputs(config: BundleConfig) -> list[Path]:
    """What is read; the private key is none of it, as its hash would be kept."""
    given = [config.model, config.wheels, config.constraints, config.docs, config.deploy, *config.results]
    return [path for path in given if path is not None]


def run(config: BundleConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Write `out/bundle` and, if asked, `out/NAME.tar`. A run that was cut begins again: the same bytes come of it."""
    signer = read_signer(config.signing_key)
    facts = _read_model(config)
    wheels = _wheels(config, out, log)
    _refuse_gpl(wheels, set(config.allow_gpl))
    part, bundle = out / f".{FOLDER}.part", out / FOLDER
    for old in (part, bundle):
        shutil.rmtree(old, ignore_errors=True)
    part.mkdir(parents=True)
    sums = {
        f"{names.WHEELS}/{wheel.file.name}": _copy(wheel.file, part, f"{names.WHEELS}/{wheel.file.name}")
        for wheel in log.progress(wheels, "wheels", unit="wheels")
    }
    for each in _parts(config):
        names.refuse_unsafe([f"{each.folder}/{name}" for name in each.files], each.folder)
        for name, file in log.progress(each.files.items(), each.folder, total=len(each.files), unit="files"):
            sums[f"{each.folder}/{name}"] = _copy(file, part, f"{each.folder}/{name}")
    model = {name: sha256 for name, sha256 in sums.items() if name.startswith(f"{names.MODEL}/")}
    texts = {
        names.LOCK: lock_text(wheels, config.extras),
        names.SBOM: sbom_text(config.name, wheels, {name.partition("/")[2]: sha for name, sha in model.items()}),
        **({names.CARD: facts} if facts else {}),
    }
    for name, text in texts.items():
        write_text(part / name, text)
    write_json(part / names.MANIFEST, _manifest(config, wheels, model))
    sums |= {name: _hash(part, name) for name in [*texts, names.MANIFEST]}
    _sign(part, sums, signer)
    part.replace(bundle)
    if config.archive:
        pack(bundle, out / f"{config.name}.tar")
    num_bytes = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
    message = f"{bundle}: {len(sums)} files, {num_bytes / 2**20:.1f} MiB, signed by {signer.public.fingerprint}"
    return Outcome(message, counts={"files": len(sums), "wheels": len(wheels), "bytes": num_bytes})


def _read_model(config: BundleConfig) -> str:
    """Its card, once its files are known to be those of its manifest; "" where there is no model."""
    if config.model is None:
        return ""
    sha256 = verified_sha256(config.model)
    return card_text(read_facts(config.name, config.model, sha256=sha256, results=config.results))


def _wheels(config: BundleConfig, out: Path, log: Log) -> list[Wheel]:
    folder = config.wheels
    if folder is None:
        folder = out / ".wheels"
        log.info(f"fetching wheels into {folder}")
        make_wheels(config.source or Path(), config.extras, constraints=config.constraints or Path(), into=folder)
    found = needed_wheels(folder, config.extras)
    num_left = len(list(folder.glob("*.whl"))) - len(found)
    if num_left:
        log.info(f"{num_left} wheels of {folder} are not needed and left out")
    return found


def _refuse_gpl(wheels: list[Wheel], allowed: set[str]) -> None:
    wrong = [
        f"{wheel.name} ({wheel.licence})" for wheel in wheels if is_gpl(wheel.licence) and wheel.name not in allowed
    ]
    if wrong:
        raise InputError(
            f"the bundle would hold packages under the GPL: {', '.join(wrong)}",
            fix="Leave out the extra that brings them, or name them under allow_gpl: and keep the GPL's terms.",
        )


def _parts(config: BundleConfig) -> list[Part]:
    folders = {names.MODEL: config.model, names.DOCS: config.docs, names.DEPLOY: config.deploy}
    parts = [Part(name, _files(path)) for name, path in folders.items() if path is not None]
    return [*parts, Part(names.PAGE, _page())]


def _files(folder: Path) -> dict[str, Traversable]:
    """Files below a folder by their path in it; hidden ones and Python's caches are not of it."""
    found: dict[str, Traversable] = {}
    for path in sorted(existing_folder(folder).rglob("*")):
        name = path.relative_to(folder)
        if path.is_symlink():
            raise InputError(f"{path} is a link", expected="files", fix="Put the file itself there.")
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in name.parts):
            found[name.as_posix()] = path
    return found


def _page() -> dict[str, Traversable]:
    """The reader page, which the service serves from its wheel: a copy to look at."""
    package, folder = _PAGE
    return dict(sorted(_below(resources.files(package) / folder, "")))


def _below(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _below(each, f"{prefix}{each.name}/")
        else:
            found.append((f"{prefix}{each.name}", each))
    return found


def _copy(source: Traversable, part: Path, name: str) -> str:
    """Copy a file and return its hash. Raises InputError where it may not be in a bundle."""
    target = part / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file, target.open("wb") as out:
        sha256, problem = examine(name, file, copy_to=out.write)
    if problem:
        raise InputError(f"{source} {problem}", fix="Export the model with `osler export`, or remove the file.")
    return sha256


def _hash(part: Path, name: str) -> str:
    with existing_file(part / name).open("rb") as file:
        return examine(name, file)[0]


def _manifest(config: BundleConfig, wheels: list[Wheel], model: dict[str, str]) -> dict[str, Any]:
    """What installing needs to know. `outputs` are the model's files, as the service reads them at every start."""
    own = next(wheel for wheel in wheels if wheel.name == "osler")
    return {
        "schema_version": _SCHEMA_VERSION,
        "kind": "bundle",
        "name": config.name,
        "osler": own.version,
        "extras": sorted(config.extras),
        "python": python_tag(),
        "packages": {wheel.name: wheel.version for wheel in wheels},
        "licences": {wheel.name: wheel.licence for wheel in wheels},
        "model_sha256": sha256_json({name.partition("/")[2]: sha256 for name, sha256 in model.items()})
        if model
        else "",
        "outputs": model,
    }


def _sign(part: Path, sums: dict[str, str], signer: Signer) -> None:
    text = names.sums_text(sums)
    write_text(part / names.SUMS, text)
    (part / names.SIGNATURE).write_bytes(signer.sign(text.encode()))
    (part / names.KEY).write_bytes(signer.public.pem)

"""A model folder checked byte by byte before a weight is read."""

from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import existing_folder, read_json, sha256_file, sha256_json

_READ = {".safetensors", ".json", ".jinja", ".txt", ".md", ".model"}
_CODE = ("auto_map", "custom_pipelines", "trust_remote_code")


def verified_sha256(folder: Path, manifest: Path | None = None) -> str:
    """The SHA-256 over the names and hashes of a model folder's files, which are those that its manifest lists.

    Args:
        folder: the model. manifest: a `manifest.json` with `outputs`, paths below its own folder and their hashes;
            None takes the one beside `folder`.

    Raises:
        InputError: there is no manifest, a file is missing, is not listed or was changed; a file is of a kind that may
            hold code (pickle, Python); a configuration asks for code of its own.
    """
    folder = existing_folder(folder)
    expected = _listed(folder, manifest or folder.parent / "manifest.json")
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if not path.is_dir()}
    for name, path in found.items():
        if path.suffix not in _READ:
            raise InputError(
                f"{path} does not belong into a model",
                expected=f"files that hold no code: {', '.join(sorted(_READ))}",
                fix="Save the weights as safetensors and remove the file.",
            )
        if name not in expected:
            raise InputError(f"{path} is not in the manifest", fix="Copy the model again, or remove the file.")
    for name, sha256 in expected.items():
        if name not in found:
            raise InputError(f"{folder / name} is missing, and the manifest lists it", fix="Copy the model again.")
        actual = sha256_file(found[name])
        if actual != sha256:
            raise InputError(
                f"{found[name]} is not the file of the manifest", expected=f"sha256 {sha256}", got=actual,
                fix="Copy the model again.",
            )  # fmt: skip
        if name.endswith(".json"):
            _refuse_code(found[name], read_json(found[name]))
    return sha256_json(expected)


def _listed(folder: Path, manifest: Path) -> dict[str, str]:
    """The hashes of the folder's files by their names in it."""
    if not manifest.is_file():
        raise InputError(
            f"no manifest of {folder}", expected=f"{manifest}",
            fix="Serve a folder that `osler train` or `osler export` finished, or name its manifest.",
        )  # fmt: skip
    outputs = read_json(manifest)
    outputs = outputs.get("outputs") if isinstance(outputs, dict) else None
    if not isinstance(outputs, dict):
        raise InputError(f"{manifest} lists no outputs")
    try:
        inside = folder.resolve().relative_to(manifest.parent.resolve()).as_posix()
    except ValueError as error:
        raise InputError(f"{manifest} does not stand above {folder}") from error
    prefix = "" if inside == "." else f"{inside}/"
    listed = {str(n).removeprefix(prefix): str(sha256) for n, sha256 in outputs.items() if str(n).startswith(prefix)}
    if not any(name.endswith(".safetensors") for name in listed):
        raise InputError(f"{manifest} lists no weights below {folder}", fix="Name the manifest of this model.")
    return listed


def _refuse_code(path: Path, value: Any) -> None:
    if isinstance(value, dict):
        asked = [name for name in _CODE if value.get(name)]
        if asked:
            raise InputError(
                f"{path} asks for code of its own ({asked[0]})", fix="Export the model with `osler export`."
            )

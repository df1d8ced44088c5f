"""What the tests of bundles share: wheels of a toy osler, a toy model as a run leaves it, and a built bundle."""

import base64
import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from audit_world import SIGNER
from osler.core.files import sha256_file, write_json, write_text
from osler.core.log import Log
from osler.serve.bundle import build
from osler.serve.signature import write_private

FINGERPRINT = SIGNER.public.fingerprint
QUIET = Log(quiet=True)


def make_wheel(folder, name, *, version="1.0", requires=(), licence="MIT", files=None, scripts=""):
    """A pure wheel with equal bytes for equal arguments."""
    info = f"{name}-{version}.dist-info"
    words = [
        "Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", f"License-Expression: {licence}",
        *(f"Requires-Dist: {each}" for each in requires),
        *(["Provides-Extra: serve"] if any("extra" in each for each in requires) else []),
    ]  # fmt: skip
    members = {
        **(files or {f"{name}.py": "VALUE = 1\n"}),
        f"{info}/METADATA": "\n".join(words) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: toy\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **({f"{info}/entry_points.txt": scripts} if scripts else {}),
    }
    record = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in members.items()]
    members[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in members.items():
            archive.writestr(zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0)), text)
    return path


def _digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def make_wheels(folder):
    """Of a toy osler that needs two packages, one of them for the extra `serve` only; and one that nobody needs."""
    program = "def main():\n    print('0.1.0')\n"
    make_wheel(
        folder, "osler", version="0.1.0", requires=["toya>=1", "toyb; extra == 'serve'"], licence="Apache-2.0",
        files={"osler/__init__.py": program}, scripts="[console_scripts]\nosler = osler:main\n",
    )  # fmt: skip
    make_wheel(folder, "toya", requires=["toyc"])
    make_wheel(folder, "toyb", version="2.1", licence="BSD-3-Clause OR GPL-2.0-only")
    make_wheel(folder, "toyc")
    make_wheel(folder, "unneeded", licence="GPL-3.0-only")
    return folder


def make_model(run):
    """A model folder with the manifest that a training leaves beside it."""
    model = run / "model"
    model.mkdir(parents=True)
    config = {"architectures": ["Toy"], "model_type": "toy", "text_config": {"model_type": "t", "hidden_size": 8}}
    write_json(model / "config.json", config)
    write_text(model / "chat_template.jinja", "{{ messages }}\n")
    weights = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(4, dtype=np.float16)}
    save_file(weights, model / "model.safetensors")
    write_manifest(run)
    return model


def write_manifest(run):
    outputs = {f"model/{path.name}": sha256_file(path) for path in sorted((run / "model").iterdir())}
    words = {"command": ["osler", "train", "toy.yaml"], "seeds": {"train": 3}, "packages": {"osler": "0.1.0"}}
    write_json(run / "manifest.json", {**words, "git_commit": "abc", "inputs": {}, "outputs": outputs})


def make_inputs(base: Path):
    """All that a bundle is made of; returns the recipe."""
    make_wheels(base / "wheels")
    make_model(base / "run")
    write_text(base / "docs" / "how-to" / "operate.md", "# Operate\n")
    write_private(base / "bundle.key", _pem())
    write_text(base / "results.json", json.dumps([RESULT]))
    return {
        "name": "toy", "model": str(base / "run" / "model"), "wheels": str(base / "wheels"), "extras": ["serve"],
        "signing_key": str(base / "bundle.key"), "docs": str(base / "docs"), "results": [str(base / "results.json")],
    }  # fmt: skip


RESULT = {
    "task": "toy_closed", "task_version": "1", "metric": "closed_accuracy", "metric_signature": "s", "value": 0.8125,
    "ci_low": 0.75, "ci_high": 0.875, "n": 160, "n_clusters": 80, "unparsed": 3, "model": "toy",
    "dataset_ids_sha256": "0" * 64, "baseline": {"majority": {"value": 0.5}},
}  # fmt: skip


def _pem():
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return SIGNER.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def build_bundle(base: Path, out: Path, **changes):
    """Build, and return the bundle's folder."""
    recipe = {**make_inputs(base), **changes} if not (base / "wheels").exists() else changes
    build.run(build.parse(recipe), out, device="cpu", log=QUIET)
    return out / "bundle"


def copied(bundle, into):
    return Path(shutil.copytree(bundle, into))

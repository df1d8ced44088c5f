"""Bundles from end to end: built twice, tampered with a thousand times, installed without a network."""

import json
import shutil
import subprocess
import sys

import pytest
from chain import ROOT

from bundle_world import FINGERPRINT, QUIET, build_bundle, make_inputs
from osler.core.errors import InputError
from osler.core.rng import generator
from osler.serve.bundle import build
from osler.serve.bundle.install import install
from osler.serve.bundle.verify import verify
from osler.serve.model_files import verified_sha256

pytestmark = pytest.mark.e2e
FLIPS = 1000


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A bundle of toy wheels: the folder of inputs, and the output folder with `bundle/` and `toy.tar`."""
    base = tmp_path_factory.mktemp("bundle")
    build_bundle(base / "in", base / "out", archive=True)
    return base / "in", base / "out"


def test_a_thousand_flipped_bits_are_caught_whatever_file_they_are_in(built, tmp_path):
    bundle = shutil.copytree(built[1] / "bundle", tmp_path / "bundle")
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    rng, missed = generator(9, "flips"), []
    for number in range(FLIPS):
        path = files[number % len(files)]
        before = path.read_bytes()
        changed = bytearray(before)
        changed[int(rng.integers(len(changed)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        try:
            if not verify(bundle, key=FINGERPRINT).problems:
                missed.append(path.name)
        except InputError:
            pass
        path.write_bytes(before)
    assert missed == [] and verify(bundle, key=FINGERPRINT).problems == []


def test_an_archive_is_installed_and_its_model_can_be_served(built, tmp_path):
    into = tmp_path / "installed"
    said = install(built[1] / "toy.tar", key=FINGERPRINT, into=into, log=QUIET)
    assert said.startswith("toy (osler 0.1.0) is in")
    there = {path.name for path in into.iterdir()}
    assert {"venv", "model", "docs", "MODEL_CARD.md", "installed.json", "requirements.lock", "manifest.json"} <= there
    assert not any(name.startswith(".") or name == "wheels" for name in there)
    done = subprocess.run(
        [into / "venv" / "bin" / "python", "-I", "-c", "import toya, toyb, toyc; print(toya.VALUE)"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "1\n"
    assert json.loads((into / "installed.json").read_text())["model_sha256"] == verified_sha256(into / "model")
    with pytest.raises(InputError, match="is not empty"):
        install(built[1] / "toy.tar", key=FINGERPRINT, into=into, log=QUIET)


def test_a_cut_installation_begins_again(built, tmp_path):
    into = tmp_path / "installed"
    (into / ".part-old").mkdir(parents=True)
    (into / "model").mkdir()
    (into / "model" / "stale.json").touch()
    (into / ".installing").touch()
    install(built[1] / "bundle", key=FINGERPRINT, into=into, log=QUIET)
    assert not (into / ".part-old").exists() and not (into / "model" / "stale.json").exists()


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A bundle of osler's core with its dependencies, made by the tiny recipe; skips where pip has no index."""
    base = tmp_path_factory.mktemp("real")
    changes = make_inputs(base / "in")
    recipe = [
        f"source={ROOT}", f"constraints={ROOT / 'constraints.txt'}", f"model={changes['model']}",
        f"signing_key={changes['signing_key']}", f"docs={ROOT / 'docs'}", f"results=[{changes['results'][0]}]",
    ]  # fmt: skip
    command = ["bundle", "build", str(ROOT / "recipes" / "tiny" / "bundle.yaml"), *recipe, "--out", str(base / "out")]
    done = osler(*command)
    if done.returncode == 2 and "pip wheel" in done.stderr:
        pytest.skip(f"pip has no index here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    return base / "out"


def osler(*words, before=()):
    command = [*before, sys.executable, "-m", "osler.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def without_network():
    """A command before others that takes the network away; skips where this user may not."""
    command = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("this user cannot make a network namespace")
    return command


def test_osler_is_installed_where_there_is_no_network_and_works_there(real, tmp_path):
    alone = without_network()
    done = osler("bundle", "verify", str(real / "bundle"), f"key={FINGERPRINT}", before=alone)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    into = tmp_path / "osler"
    done = osler("bundle", "install", str(real / "bundle"), f"key={FINGERPRINT}", "--out", str(into), before=alone)
    assert done.returncode == 0, done.stderr
    for words in (["list"], ["doctor"]):
        command = [*alone, into / "venv" / "bin" / "python", "-I", into / "venv" / "bin" / "osler", *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
    assert (into / "docs" / "how-to" / "operate.md").is_file()
    assert json.loads((into / "installed.json").read_text())["signed_by"] == FINGERPRINT


def test_a_recipe_built_again_from_the_same_wheels_gives_the_same_bytes(real, tmp_path):
    first = build.parse(_resolved(real))
    again = first.model_copy(update={"source": None, "constraints": None, "wheels": real / ".wheels"})
    build.run(again, tmp_path / "out", device="cpu", log=QUIET)
    sums = (tmp_path / "out" / "bundle" / "SHA256SUMS").read_bytes()
    assert sums == (real / "bundle" / "SHA256SUMS").read_bytes()


def _resolved(real):
    from osler.core.config import load_recipe

    return load_recipe(real / "recipe.yaml")

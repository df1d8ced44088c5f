"""What is not installed. The e2e tests install what is."""

import subprocess
import sys

import pytest

from audit_world import OTHER
from bundle_world import FINGERPRINT, QUIET, copied
from osler.core.errors import InputError
from osler.serve.bundle.install import install


def spoil_changed(bundle):
    (bundle / "docs" / "how-to" / "operate.md").write_text("x")


def spoil_added(bundle):
    (bundle / "wheels" / "evil-1.0-py3-none-any.whl").write_text("x")


def spoil_signature(bundle):
    (bundle / "SHA256SUMS.sig").write_bytes(b"\0" * 64)


def spoil_key(bundle):
    (bundle / "signing.pub").write_bytes(OTHER.public.pem)


def spoil_gone(bundle):
    bundle.rename(bundle.with_name("elsewhere"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_changed, "is not what was signed: docs/how-to/operate.md: changed"),
        (spoil_added, "evil-1.0-py3-none-any.whl: added"),
        (spoil_signature, "signature .* does not fit"),
        (spoil_key, "not the key that you trust"),
        (spoil_gone, "cannot read"),
    ],
)
def test_nothing_is_installed_that_is_not_what_was_signed(spoil, message, built, tmp_path):
    bundle = copied(built[1] / "bundle", tmp_path / "bundle")
    spoil(bundle)
    with pytest.raises(InputError, match=message):
        install(bundle, key=FINGERPRINT, into=tmp_path / "installed", log=QUIET)
    assert [path.name for path in (tmp_path / "installed").iterdir()] == [".installing"]


def test_a_folder_in_use_is_left_alone(built, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(InputError, match="is not empty"):
        install(built[1] / "bundle", key=FINGERPRINT, into=tmp_path, log=QUIET)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(InputError, match="cannot write to"):
        install(built[1] / "bundle", key=FINGERPRINT, into=tmp_path / "mine.txt", log=QUIET)


def test_installing_needs_no_package_that_only_building_does():
    """The guide installs osler and cryptography first, and nothing else of the bundle."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['cyclonedx', 'packaging', 'fastapi', 'torch', 'jwt']))\n"
        "import osler.serve.bundle.install, osler.serve.audit.verify"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_another_python_is_told_before_anything_is_made(built, tmp_path, monkeypatch):
    monkeypatch.setattr("osler.serve.bundle.install.python_tag", lambda: "CPython 3.12 linux-x86_64")
    with pytest.raises(InputError, match="for another Python"):
        install(built[1] / "bundle", key=FINGERPRINT, into=tmp_path / "installed", log=QUIET)

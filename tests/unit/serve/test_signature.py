import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from osler.core.errors import InputError
from osler.serve.signature import make_key, public_key, read_signer, trusted_key


def test_a_key_signs_and_its_public_half_vouches(tmp_path):
    public = make_key(tmp_path / "a" / "site.key")
    signer = read_signer(tmp_path / "a" / "site.key")
    signature = signer.sign(b"words")
    assert signer.public.fingerprint == public.fingerprint and len(public.fingerprint) == 64
    assert public.vouches(signature, b"words")
    assert not public.vouches(signature, b"other") and not public.vouches(b"short", b"words")
    assert (tmp_path / "a" / "site.key").stat().st_mode & 0o777 == 0o600


def test_no_key_is_overwritten(tmp_path):
    make_key(tmp_path / "k")
    with pytest.raises(InputError, match="never overwritten"):
        make_key(tmp_path / "k")
    (tmp_path / "k").unlink()
    with pytest.raises(InputError, match="k.pub is there already"):
        make_key(tmp_path / "k")


def test_no_byte_of_a_public_key_file_can_change_unseen(tmp_path):
    public = make_key(tmp_path / "k")
    for place in range(len(public.pem)):
        for flip in (1, 32, 128):
            wrong = bytearray(public.pem)
            wrong[place] ^= flip
            with pytest.raises(InputError):
                trusted_key(bytes(wrong), "signing.pub", key=public.fingerprint)
    for wrong in (public.pem + b"\n", public.pem.replace(b"\n", b"\r\n"), b""):
        with pytest.raises(InputError):
            trusted_key(wrong, "signing.pub", key=public.fingerprint)


def test_a_key_is_trusted_by_fingerprint_or_file(tmp_path):
    public, other = make_key(tmp_path / "k"), make_key(tmp_path / "o")
    for key in (public.fingerprint, public.fingerprint.upper(), str(tmp_path / "k.pub")):
        assert trusted_key(public.pem, "x", key=key).fingerprint == public.fingerprint
    for key in (other.fingerprint, str(tmp_path / "o.pub")):
        with pytest.raises(InputError, match="not the key that you trust"):
            trusted_key(public.pem, "x", key=key)
    with pytest.raises(InputError, match="no key to trust"):
        trusted_key(public.pem, "x", key="")


def test_files_that_hold_no_key_of_this_kind(tmp_path):
    path = tmp_path / "k"
    with pytest.raises(InputError, match="cannot read"):
        read_signer(path)
    path.write_bytes(b"no key")
    path.chmod(0o600)
    with pytest.raises(InputError, match="holds no private key"):
        read_signer(path)
    curve = generate_private_key(SECP256R1())
    path.write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(InputError, match="another kind of key"):
        read_signer(path)
    with pytest.raises(InputError, match="was changed"):
        public_key(curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "x")


@pytest.mark.parametrize(
    ("mode", "is_open"), [(0o600, False), (0o640, False), (0o644, True), (0o660, True), (0o602, True)]
)
def test_a_private_key_is_private(mode, is_open, tmp_path):
    make_key(tmp_path / "k")
    (tmp_path / "k").chmod(mode)
    if is_open:
        with pytest.raises(InputError, match=f"got {mode:o}"):
            read_signer(tmp_path / "k")
    else:
        read_signer(tmp_path / "k")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_agrees(tmp_path):
    make_key(tmp_path / "k")
    (tmp_path / "words").write_bytes(b"words")
    (tmp_path / "sig").write_bytes(read_signer(tmp_path / "k").sign(b"words"))
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "k.pub",
        "-rawin",
        "-in",
        "words",
        "-sigfile",
        "sig",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

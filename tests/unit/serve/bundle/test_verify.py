import os
import shutil
import subprocess

import pytest

from audit_world import OTHER
from bundle_world import FINGERPRINT, copied
from osler.core.errors import InputError
from osler.core.files import sha256_file
from osler.core.rng import generator
from osler.serve.bundle.names import KEY, SIGNATURE, SUMS, read_sums, sums_text
from osler.serve.bundle.verify import verify

FLIPS = 120


@pytest.fixture
def bundle(built, tmp_path):
    return copied(built[1] / "bundle", tmp_path / "bundle")


def is_caught(path):
    try:
        return bool(verify(path, key=FINGERPRINT).problems)
    except InputError:
        return True


def test_a_bundle_is_whole_as_a_folder_and_as_an_archive(built):
    _, out = built
    for path in (out / "bundle", out / "toy.tar"):
        found = verify(path, key=FINGERPRINT)
        assert (found.problems, found.fingerprint) == ([], FINGERPRINT)
        assert {"model/model.safetensors", "requirements.lock", "sbom.cdx.json", "MODEL_CARD.md"} <= found.sums.keys()


def test_every_flipped_byte_is_caught(bundle):
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    assert {SUMS, SIGNATURE, KEY} <= {path.name for path in files}
    rng = generator(5, "flips")
    missed = []
    for number in range(FLIPS):
        path = files[number % len(files)]
        before = path.read_bytes()
        changed = bytearray(before)
        place = int(rng.integers(len(changed)))
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        if not is_caught(bundle):
            missed.append((path.name, place))
        path.write_bytes(before)
    assert missed == [] and not is_caught(bundle)


def test_flipped_bytes_of_an_archive_are_caught(built, tmp_path):
    """Where they change no name and no byte of a file (padding, a time), they are not the bundle's and do no harm."""
    data = (built[1] / "toy.tar").read_bytes()
    path = tmp_path / "toy.tar"
    rng = generator(6, "flips")
    for _ in range(100):
        changed = bytearray(data)
        changed[int(rng.integers(len(changed)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        if not is_caught(path):
            from osler.serve.bundle.archive import unpack

            unpack(path, tmp_path / "unpacked")
            assert not is_caught(tmp_path / "unpacked")
            shutil.rmtree(tmp_path / "unpacked")
    for size in (0, 100, 512, len(data) // 2, len(data) - 11000):
        path.write_bytes(data[:size])
        with pytest.raises(InputError):
            verify(path, key=FINGERPRINT)


def test_a_file_added_missing_changed_or_made_a_link_is_named(bundle):
    (bundle / "wheels" / "extra.whl").write_bytes(b"x")
    (bundle / "docs" / "how-to" / "operate.md").unlink()
    (bundle / "empty").mkdir()
    (bundle / "MODEL_CARD.md").write_text("A medical device.")
    (bundle / "link").symlink_to("/etc/passwd")
    os.mkfifo(bundle / "fifo")
    problems = verify(bundle, key=FINGERPRINT).problems
    assert sorted(problem.split(";")[0] for problem in problems) == [
        "MODEL_CARD.md: changed",
        "docs/how-to/operate.md: missing",
        "docs/how-to: an empty folder that the bundle does not have",
        "empty: an empty folder that the bundle does not have",
        "fifo: a link or device, not a file",
        "link: a link or device, not a file",
        "wheels/extra.whl: added",
    ]


def resign(bundle, signer):
    """What somebody does who changes a bundle and knows how bundles are made."""
    sums = read_sums((bundle / SUMS).read_bytes(), "x")
    for name in sums:
        sums[name] = sha256_file(bundle / name)
    (bundle / SUMS).write_text(sums_text(sums))
    (bundle / SIGNATURE).write_bytes(signer.sign(sums_text(sums).encode()))


def test_another_signature_is_refused(bundle):
    (bundle / "MODEL_CARD.md").write_text("A medical device.")
    resign(bundle, OTHER)
    with pytest.raises(InputError, match="signature .* does not fit"):
        verify(bundle, key=FINGERPRINT)
    (bundle / KEY).write_bytes(OTHER.public.pem)
    with pytest.raises(InputError, match="not the key that you trust"):
        verify(bundle, key=FINGERPRINT)
    assert verify(bundle, key=OTHER.public.fingerprint).problems == []


@pytest.mark.parametrize("name", [SUMS, SIGNATURE, KEY])
def test_a_bundle_without_its_signature_is_none(name, bundle):
    (bundle / name).unlink()
    with pytest.raises(InputError, match="cannot read"):
        verify(bundle, key=FINGERPRINT)


def test_a_signed_model_that_holds_code_is_still_refused(bundle):
    """The signer may have been deceived, too."""
    from audit_world import SIGNER

    (bundle / "model" / "config.json").write_text('{"auto_map": {"AutoModel": "x.Y"}}')
    resign(bundle, SIGNER)
    assert verify(bundle, key=FINGERPRINT).problems == ["model/config.json: asks for code of its own (auto_map)"]


@pytest.mark.skipif(
    shutil.which("openssl") is None or shutil.which("sha256sum") is None, reason="openssl or sha256sum is not installed"
)
def test_a_bare_machine_verifies_with_openssl_and_sha256sum(bundle):
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", KEY, "-rawin", "-in", SUMS, "-sigfile", SIGNATURE]
    assert subprocess.run(command, cwd=bundle, capture_output=True, check=False).returncode == 0
    raw = "openssl pkey -pubin -in signing.pub -outform DER | tail -c 32 | sha256sum"  # as the guide for operators says
    told = subprocess.run(["bash", "-c", raw], cwd=bundle, capture_output=True, text=True, check=False).stdout
    assert told.split()[0] == FINGERPRINT
    check = ["sha256sum", "--check", "--strict", "--quiet", SUMS]
    assert subprocess.run(check, cwd=bundle, capture_output=True, check=False).returncode == 0
    (bundle / "MODEL_CARD.md").write_text("x")
    assert subprocess.run(check, cwd=bundle, capture_output=True, check=False).returncode != 0

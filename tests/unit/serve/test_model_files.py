import json
import random

import pytest

from osler.core.errors import InputError
from osler.core.files import sha256_file
from osler.serve.model_files import verified_sha256


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 4)
    (folder / "config.json").write_text('{"model_type": "osler"}')
    (folder / "chat_template.jinja").write_text("hello")
    sign(tmp_path)
    return folder


def sign(out):
    outputs = {path.relative_to(out).as_posix(): sha256_file(path) for path in (out / "model").iterdir()}
    (out / "manifest.json").write_text(json.dumps({"outputs": {**outputs, "metrics.jsonl": "0" * 64}}))


def test_a_folder_as_its_manifest_says_has_a_hash(model, tmp_path):
    first = verified_sha256(model)
    assert len(first) == 64 and first == verified_sha256(model, tmp_path / "manifest.json")
    (model / "config.json").write_text('{"model_type": "other"}')
    sign(tmp_path)
    assert verified_sha256(model) != first


def test_every_flipped_bit_is_found(model):
    rng = random.Random(0)
    for _ in range(1000):
        path = rng.choice(sorted(model.iterdir()))
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(InputError, match=r"not the file of the manifest|not valid JSON"):
            verified_sha256(model)
        path.write_bytes(whole)
    assert verified_sha256(model)


@pytest.mark.parametrize(
    "name",
    ["pytorch_model.bin", "modeling_evil.py", "weights.pt", "a.pkl", "training_args.bin", "x.ckpt", "lib.so", "noext"],
)
def test_files_that_may_hold_code_are_refused(model, tmp_path, name):
    (model / name).write_bytes(b"x")
    for signed in (False, True):
        if signed:
            sign(tmp_path)
        with pytest.raises(InputError, match="does not belong"):
            verified_sha256(model)


def test_files_and_manifest_must_be_the_same_set(model, tmp_path):
    (model / "extra.json").write_text("{}")
    with pytest.raises(InputError, match="not in the manifest"):
        verified_sha256(model)
    (model / "extra.json").unlink()
    (model / "chat_template.jinja").unlink()
    with pytest.raises(InputError, match="is missing"):
        verified_sha256(model)


def test_code_named_in_a_configuration_is_refused(model, tmp_path):
    (model / "config.json").write_text('{"auto_map": {"AutoModel": "evil.Model"}}')
    sign(tmp_path)
    with pytest.raises(InputError, match="code of its own"):
        verified_sha256(model)


def test_no_manifest_no_service(model, tmp_path):
    with pytest.raises(InputError, match="does not stand above"):
        other = tmp_path / "elsewhere"
        other.mkdir()
        (other / "manifest.json").write_text('{"outputs": {}}')
        verified_sha256(model, other / "manifest.json")
    (tmp_path / "manifest.json").write_text('{"outputs": {}}')
    with pytest.raises(InputError, match="lists no weights"):
        verified_sha256(model)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(InputError, match="no manifest"):
        verified_sha256(model)
    with pytest.raises(InputError, match="cannot read"):
        verified_sha256(tmp_path / "nothing")

"""What keeps a service from starting is one clear line and exit 2, told before a model is loaded."""

import json
import socket

import pytest
import yaml

from osler.cli.main import main
from osler.serve.keys import add_key


@pytest.fixture
def start(tmp_path, capsys):
    """Start a service of a recipe with changes; returns the exit code and what was said."""
    add_key(tmp_path / "keys.json", "a", scopes=["chat"])
    recipe = {
        "embedded": {"model": str(tmp_path / "model")},
        "keys": str(tmp_path / "keys.json"),
        "listen": {"port": 0},
    }

    def begin(*overrides, out=tmp_path / "out", options=(), base=recipe):
        (tmp_path / "serve.yaml").write_text(yaml.safe_dump(base))
        code = main(["serve", str(tmp_path / "serve.yaml"), *overrides, "--out", str(out), *options])
        told = capsys.readouterr()
        return code, told.err or told.out

    return begin


def refused(told, *words):
    code, line = told
    return code == 2 and line.count("\n") == 1 and line.startswith("osler: error: ") and all(w in line for w in words)


def test_a_missing_model_and_one_that_was_changed(start, tmp_path):
    assert refused(start(), "model", "nothing at that path")
    (tmp_path / "model").mkdir()
    assert refused(start(), "no manifest")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"x")
    (tmp_path / "manifest.json").write_text(json.dumps({"outputs": {"model/model.safetensors": "0" * 64}}))
    assert refused(start(), "not the file of the manifest", "expected sha256")


def test_a_port_in_use(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refused(start(f"listen.port={port}"), f"port {port}", "listen.port=NUMBER")


def test_no_room_for_the_audit_trail(start, tmp_path):
    assert refused(start("min_free_mib=99999999"), "MiB are free", "at least 99999999")
    (tmp_path / "file").write_text("")
    assert refused(start(out=tmp_path / "file"), "cannot write to")


def test_no_keys(start, tmp_path):
    assert refused(start(f"keys={tmp_path}/none.json"), "osler keys add")
    (tmp_path / "empty.json").write_text('{"keys": []}')
    assert refused(start(f"keys={tmp_path}/empty.json"), "holds no key")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "osler.example"])
def test_the_network_is_not_listened_to_in_clear(start, host):
    assert refused(start(f"listen.host='{host}'"), "in clear")


def test_a_proxy_or_tls_opens_the_network(start, tmp_path):
    assert refused(start("listen.host=0.0.0.0", "listen.behind_proxy=true"), "model")
    tls = f"listen.tls={{certificate: {tmp_path}/c.pem, private_key: {tmp_path}/k.pem}}"
    assert refused(start("listen.host=0.0.0.0", tls), "c.pem")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("prot=1", "unknown key 'prot'"),
        ("listen.prot=1", "Did you mean 'port'?"),
        ("external={kind: vllm, url: 'http://a/v1', model: b}", "one engine"),
        ("limits.max_images=0", "max_images"),
        ("name='a b'", "name"),
    ],
)
def test_a_recipe_that_is_wrong(start, override, words):
    assert refused(start(override), words)


def test_an_engine_that_does_not_answer(start, tmp_path):
    base = {
        "external": {"kind": "openai", "url": "http://127.0.0.1:9/v1", "model": "m"},
        "keys": str(tmp_path / "keys.json"),
    }
    assert refused(start("listen.port=0", base=base), "does not answer")


def test_a_dry_run_prints_the_recipe(start):
    code, text = start(options=["--dry-run"])
    assert (code, yaml.safe_load(text)["limits"]["max_images"]) == (0, 8)
    assert main(["serve", "none.yaml"]) == 2


def test_keys_are_made_listed_and_removed(tmp_path, capsys):
    path = str(tmp_path / "keys.json")
    assert main(["keys", "add", path, "id=w3", "scopes=[chat]", "expires=2099-01-31"]) == 0
    key = capsys.readouterr().out.strip()
    assert key.startswith("osler_w3_") and key not in (tmp_path / "keys.json").read_text()
    assert main(["keys", "list", path]) == 0
    assert "2099-01-31" in capsys.readouterr().out
    assert main(["keys", "add", path, "id=w4", "scopes=chat"]) == 0
    assert main(["keys", "remove", path, "id=w3"]) == 0
    for wrong in (
        ["remove", path, "id=w3"],
        ["add", path],
        ["list", path, "id=1"],
        ["add", path, "id=x", "expires=soon"],
    ):
        assert main(["keys", *wrong]) == 2

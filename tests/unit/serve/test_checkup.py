import socket
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bundle_world import make_model
from osler.core.errors import InputError
from osler.serve.audit.config import AuditConfig, open_audit
from osler.serve.checkup import checks, parse
from osler.serve.keys import add_key


@pytest.fixture
def site(tmp_path):
    """A recipe whose every need is met."""
    add_key(tmp_path / "keys.json", "ward-3", scopes=["chat"])
    model = make_model(tmp_path / "run")
    return {
        "embedded": {"model": str(model)}, "keys": str(tmp_path / "keys.json"), "listen": {"port": 0},
        "min_free_mib": 1,
    }  # fmt: skip


def look(recipe, out):
    """What each check says; a problem begins with an exclamation mark."""
    said = {}
    for name, check in checks(parse(recipe), out).items():
        try:
            said[name] = check()
        except (InputError, OSError) as error:
            said[name] = f"! {error}"
    return said


def problems(recipe, out):
    return {name for name, words in look(recipe, out).items() if words.startswith("!")}


def test_a_service_that_could_start(site, tmp_path):
    said = look(site, tmp_path / "out")
    assert {name: words for name, words in said.items() if words.startswith("!")} == {}
    assert "every file as its manifest says" in said["engine"] and "1 of 1 keys are live" in said["keys file"]
    assert said["audit keys"].startswith("none yet") and not (tmp_path / "out").exists()
    with open_audit(AuditConfig(), tmp_path / "out"):
        pass
    said = look(site, tmp_path / "out")
    assert said["audit trail"].endswith("whole, 1 entries") and "fingerprint" in said["audit keys"]


def test_a_changed_model_is_a_problem(site, tmp_path):
    (tmp_path / "run" / "model" / "chat_template.jinja").write_text("x")
    assert problems(site, tmp_path / "out") == {"engine"}
    site["embedded"]["sha256"] = "0" * 64
    assert problems(site, tmp_path / "out") == {"engine"}


def test_a_keys_file_that_others_read_or_whose_keys_have_expired(site, tmp_path):
    (tmp_path / "keys.json").chmod(0o644)
    assert problems(site, tmp_path / "out") == {"keys file"}
    (tmp_path / "keys.json").unlink()
    add_key(tmp_path / "keys.json", "old", scopes=["chat"], expires=date(2020, 1, 1))
    assert "has expired" in look(site, tmp_path / "out")["keys file"]


def test_a_port_in_use(site, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        site["listen"] = {"port": taken.getsockname()[1]}
        assert problems(site, tmp_path / "out") == {"port"}
    assert problems(site, tmp_path / "out") == set()


def test_an_engine_that_is_not_there(site, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        recipe = {**site, "embedded": None, "external": {"kind": "vllm", "url": url, "model": "m"}}
        assert problems(recipe, tmp_path / "out") == set()
    assert problems(recipe, tmp_path / "out") == {"engine"}


def test_no_room_and_a_file_in_the_way(site, tmp_path):
    site["min_free_mib"] = 2**40
    assert problems(site, tmp_path / "out") == {"folder to write to", "audit folder"}
    (tmp_path / "out").write_text("x")
    assert {"folder to write to", "audit folder", "checkpoints"} <= problems(site, tmp_path / "out")


def test_audit_keys_that_are_lost_or_open_and_a_trail_that_was_changed(site, tmp_path):
    out = tmp_path / "out"
    with open_audit(AuditConfig(), out):
        pass
    (out / "keys" / "digest.key").chmod(0o644)
    assert problems(site, out) == {"audit keys"}
    (out / "keys" / "digest.key").chmod(0o600)
    path = out / "audit" / "000000000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"opened", b"opens!"))
    assert problems(site, out) == {"audit trail"}
    (out / "keys" / "audit-signing.key").unlink()
    assert problems(site, out) == {"audit keys"}


@pytest.mark.parametrize(("days", "said"), [(300, "valid for 299 days"), (10, "only: renew it"), (-1, "! ")])
def test_a_certificate_and_its_end(days, said, site, tmp_path):
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=days)).sign(key, None)
    )  # fmt: skip
    (tmp_path / "tls.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "tls.key").chmod(0o600)
    files = {"certificate": str(tmp_path / "tls.pem"), "private_key": str(tmp_path / "tls.key")}
    site["listen"] = {"port": 0, "tls": files}
    assert said in look(site, tmp_path / "out")["certificate"]
    (tmp_path / "tls.key").chmod(0o644)
    assert problems(site, tmp_path / "out") == {"certificate"}

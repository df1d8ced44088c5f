import pytest

from audit_world import event
from osler.cli.main import main
from osler.core.errors import InputError
from osler.serve.audit.config import AuditConfig, open_audit


@pytest.fixture
def site(tmp_path, capsys):
    """Keys and a trail of three entries; returns (base, fingerprint)."""
    assert main(["audit", "keys", str(tmp_path / "keys")]) == 0
    fingerprint = capsys.readouterr().out.splitlines()[1]
    with open_audit(config(tmp_path), tmp_path) as held:
        assert (len(held.digest_key), held.said) == (32, [])
        held.log.write([event(1)])
        held.log.write([event(2)])
    return tmp_path, fingerprint


def config(base):
    keys = base / "keys"
    return AuditConfig(
        folder=base / "trail", checkpoints=base / "elsewhere", signing_key=keys / "audit-signing.key",
        digest_key=keys / "digest.key",
    )  # fmt: skip


def test_a_whole_trail_is_said_to_be_and_its_line_can_be_expected_later(site, capsys):
    base, fingerprint = site
    command = ["audit", "verify", str(base / "trail"), f"checkpoints={base / 'elsewhere'}"]
    assert main([*command, f"key={fingerprint}"]) == 0
    said = capsys.readouterr().out
    assert "entries 1 to 3, signed to 3" in said
    expect = said.split()[-1]
    assert expect.startswith("expect=3:")
    assert main([*command, f"key={base / 'keys' / 'audit-signing.key.pub'}", expect]) == 0


def test_problems_are_a_line_each_and_exit_1(site, capsys):
    base, fingerprint = site
    path = base / "trail" / "000000000001.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    assert (
        main(["audit", "verify", str(base / "trail"), f"checkpoints={base / 'elsewhere'}", f"key={fingerprint}"]) == 1
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("problem: end: the trail ends at entry 2: entry 3 is missing (signed at 20")
    assert lines[-1] == "problems: 1"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verfy", "x"], "unknown action 'verfy'; expected one of keys, verify. Did you mean 'verify'?"),
        (["verify", "{base}/trail"], "key 'checkpoints' is missing"),
        (["verify", "{base}/trail", "checkpoints={base}/elsewhere", "key=" + "0" * 64], "not the key that you trust"),
        (["verify", "{base}/none", "checkpoints={base}/elsewhere", "key=x"], "cannot read"),
        (["verify", "{base}/trail", "checkpoint=x", "key=x"], "unknown key 'checkpoint'"),
        (["keys", "{base}/keys"], "is there already"),
        (["keys", "{base}/new", "a=b"], "no options"),
        (["verify"], "the following arguments are required"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(site, words, message, capsys):
    base, _ = site
    assert main(["audit", *[word.format(base=base) for word in words]]) == 2
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said


def test_keys_that_others_can_read_keep_the_trail_closed(site):
    base, _ = site
    for name in ("audit-signing.key", "digest.key"):
        (base / "keys" / name).chmod(0o644)
        with pytest.raises(InputError, match="a secret that others can reach"), open_audit(config(base), base):
            pass
        (base / "keys" / name).chmod(0o600)
    (base / "keys" / "digest.key").write_text("short")
    with pytest.raises(InputError, match="is no digest key"), open_audit(config(base), base):
        pass

"""The trail of a real service: requests are entered, a kill -9 loses none that was answered, and tampering is found."""

import json
import os
import signal

import pytest
from serving import running, save_model

from osler.cli.main import main

pytestmark = pytest.mark.e2e
WORDS = "Is there a pneumothorax in Quentin Vexley?"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model"))


def verified(out, capsys):
    """Exit code and words of `osler audit verify`, with the fingerprint that doctor tells."""
    from osler.serve.signature import read_signer

    fingerprint = read_signer(out / "keys" / "audit-signing.key").public.fingerprint
    capsys.readouterr()
    code = main(["audit", "verify", str(out / "audit"), f"checkpoints={out / 'checkpoints'}", f"key={fingerprint}"])
    return code, capsys.readouterr().out


def test_a_killed_service_has_entered_every_request_that_it_answered(model, tmp_path, capsys):
    recipe = {"embedded": {"model": str(model)}}
    ids = []
    with pytest.raises(AssertionError, match="200"), running(tmp_path / "first", recipe) as service:  # it was killed
        for _ in range(5):
            reply = service.chat(WORDS)
            assert reply.status_code == 200
            ids.append(reply.headers["x-request-id"])
        out = service.out
        os.kill(service.pid, signal.SIGKILL)
    code, said = verified(out, capsys)
    assert code == 0, said
    text = "".join(path.read_text() for path in sorted((out / "audit").glob("*.jsonl")))
    lines = [json.loads(line) for line in text.splitlines()]
    phases = {each["event"].get("request_id"): [] for each in lines}
    for each in lines:
        phases[each["event"].get("request_id")].append(each["event"]["phase"])
    assert all(phases[name] == ["asked", "answered"] for name in ids)
    folders = {"folder": "audit", "checkpoints": "checkpoints"}
    keys = {"signing_key": "keys/audit-signing.key", "digest_key": "keys/digest.key"}
    recipe["audit"] = {name: str(out / path) for name, path in {**folders, **keys}.items()}
    with running(tmp_path / "second", recipe) as service:
        assert service.chat(WORDS).status_code == 200
    code, said = verified(out, capsys)
    assert code == 0, said
    text = "".join(path.read_text() for path in (out / "audit").glob("*.jsonl"))
    assert "Quentin" not in text and "pneumothorax" not in text and "prompt_hmac" in text
    (path,) = sorted((out / "audit").glob("*.jsonl"))
    path.write_text(text.replace('"status":200', '"status":500', 1))
    code, said = verified(out, capsys)
    assert code == 1 and "was changed or put in" in said

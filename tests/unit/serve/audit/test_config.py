"""The trail behind the gateway: what is asked is entered, and nothing is answered that could not be."""

import resource

import httpx2
import pytest

from osler.core.errors import InputError
from osler.serve.app import make_app
from osler.serve.audit.config import AuditConfig, open_audit
from osler.serve.audit.verify import verify
from osler.serve.limits import Limits
from serve_world import KEY, WHO, Saying


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_a_request_is_refused_while_its_entry_cannot_be_written(tmp_path):
    with open_audit(AuditConfig(), tmp_path) as held:
        (said,) = held.said
        await ask_while_nothing_can_be_written(held)
    report = verify(tmp_path / "audit", checkpoints=tmp_path / "checkpoints", key=said.split()[-1])
    assert (report.problems, report.count) == ([], held.log.count)


async def ask_while_nothing_can_be_written(held):
    log = held.log
    app = make_app(Saying(), who=WHO.get, limits=Limits(), audit=log.write, digest_key=held.digest_key)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        headers = {"authorization": f"Bearer {KEY}"}
        assert (await client.get("/v1/models", headers=headers)).status_code == 200
        before = log.count
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        try:
            refused = await client.get("/v1/models", headers=headers)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "audit_unavailable")
            assert "Retry-After" in refused.headers
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert log.count == before
        assert (await client.get("/v1/models", headers=headers)).status_code == 200


def test_a_lost_key_is_not_replaced_in_silence(tmp_path):
    with open_audit(AuditConfig(), tmp_path):
        pass
    (tmp_path / "keys" / "audit-signing.key").unlink()
    with pytest.raises(InputError, match="cannot read"), open_audit(AuditConfig(), tmp_path):
        pass

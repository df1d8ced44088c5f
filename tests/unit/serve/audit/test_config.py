"""The trail behind the gateway: what is asked is entered, and nothing is answered that could not be."""

import resource

import httpx2
import pytest

from audit_world import Trail
from osler.serve.app import make_app
from osler.serve.audit.config import AuditConfig, make_keys, open_audit
from osler.serve.audit.verify import verify
from osler.serve.limits import Limits
from serve_world import KEY, WHO, Saying


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_a_request_is_refused_while_its_entry_cannot_be_written(tmp_path):
    keys, trail = tmp_path / "keys", Trail(tmp_path)
    public = make_keys(keys)
    config = AuditConfig(
        folder=trail.folder, checkpoints=trail.checkpoints, signing_key=keys / "audit-signing.key",
        digest_key=keys / "digest.key",
    )  # fmt: skip
    log, digest_key, _ = open_audit(config)
    app = make_app(Saying(), who=WHO.get, limits=Limits(), audit=log.write, digest_key=digest_key)
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
    log.close()
    report = verify(trail.folder, checkpoints=trail.checkpoints, key=public.fingerprint)
    assert report.problems == [] and report.count > before

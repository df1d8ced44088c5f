"""What the tests of the audit trail share: keys, a trail of so many entries, and ways to tamper with it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from osler.serve.audit.log import AuditLog, Upkeep
from osler.serve.audit.segments import segments
from osler.serve.audit.verify import Report, verify
from osler.serve.event import Event
from osler.serve.signature import Signer

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


class Clock:
    """A time that tests move."""

    def __init__(self):
        self.time = datetime(2026, 3, 1, 8, tzinfo=UTC)

    def __call__(self):
        return self.time

    def pass_days(self, days):
        self.time += timedelta(days=days)


@dataclass
class Trail:
    """Two folders."""

    base: Path

    @property
    def folder(self):
        return self.base / "trail"

    @property
    def checkpoints(self):
        return self.base / "elsewhere"

    def log(self, now=None, **upkeep):
        time = {"now": now} if now else {}
        return AuditLog(self.folder, checkpoints=self.checkpoints, signer=SIGNER, upkeep=Upkeep(**upkeep), **time)

    def filled(self, num, **options):
        """Open, enter events until there are `num` entries, close."""
        log = self.log(**options)
        log.open()
        while log.count < num:
            log.write([event(log.count)])
        log.close()
        return self

    def verify(self, **options) -> Report:
        return verify(self.folder, checkpoints=self.checkpoints, key=SIGNER.public.fingerprint, **options)

    def lines(self):
        return [line for _, path in segments(self.folder) for line in path.read_bytes().splitlines(keepends=True)]

    def put(self, lines):
        """Write lines into the first segment, and nothing into the others."""
        (_, first), *others = segments(self.folder)
        first.write_bytes(b"".join(lines))
        for _, path in others:
            path.unlink()


def event(number, **changes):
    """A plausible event."""
    fields = {
        "phase": "answered", "who": "ward-3", "when": datetime(2026, 3, 1, 9, tzinfo=UTC).isoformat(),
        "route": "POST /v1/chat/completions", "request_id": f"r{number}", "model": "toy", "bundle_sha256": "b" * 64,
        "prompt_hmac": f"{number:064x}", "image_hmacs": ("a" * 64,), "status": 200, "counts": {"tokens_out": number},
    }  # fmt: skip
    return Event(**{**fields, **changes})

"""The audit trail: entries a second, each on the disk before the next, and the time to verify a million of them.

There is no peer: the figures are the machine's, and the number of bare syncs a second is printed beside the appends.
The million is written by the code of the trail without syncs, and verified as `osler audit verify` does it.

    python benchmarks/audit.py [--entries 1000000] [--appends 500] [--dir FOLDER]
"""

import argparse
import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from osler.serve.audit.entry import FIRST, line_of, record_of
from osler.serve.audit.log import AuditLog, Upkeep
from osler.serve.audit.segments import segment_path
from osler.serve.audit.statement import Checkpoints
from osler.serve.audit.verify import verify
from osler.serve.event import Event
from osler.serve.signature import Signer, make_key, read_signer

PER_SEGMENT, PER_CHECKPOINT, NUM_SIGNED = 100_000, 100, 1000
TOGETHER = 16


def main() -> None:
    parser = argparse.ArgumentParser(description="Appends a second, and seconds to verify.")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--appends", type=int, default=500)
    parser.add_argument("--dir", type=Path, help="the disk to measure; a temporary folder where left out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as folder:
        base = Path(folder)
        make_key(base / "key")
        signer = read_signer(base / "key")
        print_appends(base, signer, arguments.appends)
        print_verification(base, signer, arguments.entries)


def event(number: int) -> Event:
    return Event(
        phase="answered", who="ward-3", when=datetime.now(UTC).isoformat(timespec="milliseconds"), request_id="r" * 32,
        route="POST /v1/chat/completions", model="osler", bundle_sha256="b" * 64, prompt_hmac=f"{number:064x}",
        image_hmacs=(f"{number:064x}",), status=200, counts={"tokens_in": 900, "tokens_out": 120, "images": 1},
    )  # fmt: skip


def print_appends(base: Path, signer: Signer, num: int) -> None:
    log = AuditLog(base / "trail", checkpoints=base / "elsewhere", signer=signer, upkeep=Upkeep())
    log.open()
    events = [event(number) for number in range(num)]
    began, began_cpu = time.perf_counter(), time.process_time()
    for each in events:
        log.write([each])
    wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    began = time.perf_counter()
    for first in range(0, num, TOGETHER):
        log.write(events[first : first + TOGETHER])
    together = time.perf_counter() - began
    log.close()
    with (base / "bare").open("wb") as file:
        began = time.perf_counter()
        for _ in range(num):
            file.write(b"x" * 600)
            file.flush()
            os.fsync(file.fileno())
        bare = time.perf_counter() - began
    rates = f"{num / wall:,.0f} a second (bare write and sync: {num / bare:,.0f})"
    print(f"appends: {rates}, {1e3 * cpu / num:.2f} CPU-ms each; {TOGETHER} together: {num / together:,.0f} a second")


def print_verification(base: Path, signer: Signer, num: int) -> None:
    trail, elsewhere = base / "long", base / "long-elsewhere"
    trail.mkdir()
    checkpoints = Checkpoints(elsewhere, signer)
    checkpoints.open()
    write_trail(trail, elsewhere, checkpoints, signer, num)
    size = sum(path.stat().st_size for path in trail.iterdir())
    began, began_cpu = time.perf_counter(), time.process_time()
    report = verify(trail, checkpoints=elsewhere, key=signer.public.fingerprint)
    wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    assert (report.problems, report.count, report.signed) == ([], num, num), report.problems[:3]
    print(f"verify: {num:,} entries ({size / 2**20:,.0f} MiB) in {wall:.1f} s ({cpu:.1f} CPU-s)")


def write_trail(trail: Path, elsewhere: Path, checkpoints: Checkpoints, signer: Signer, num: int) -> None:
    """As the service writes it, but that most entries share one signature, which nobody reads."""
    record, head = record_of(event(1)), FIRST
    cheap = _Constant(signer.sign(b""))
    file = None
    when = event(0).when
    for seq in range(1, num + 1):
        if (seq - 1) % PER_SEGMENT == 0:
            if file is not None:
                file.close()
            file = segment_path(trail, seq).open("wb")
        line, head = line_of(seq, head, event=record, signer=signer if seq > num - NUM_SIGNED else cheap)  # type: ignore[arg-type]
        assert file is not None
        file.write(line)
        if seq % PER_CHECKPOINT == 0 or seq == num:
            with (elsewhere / "checkpoints.jsonl").open("ab") as out:
                out.write(checkpoints.signed({"kind": "counted", "count": seq, "head": head, "when": when}))
    if file is not None:
        file.close()
    checkpoints.say_head(num, head, when)


class _Constant:
    """Signs everything alike."""

    def __init__(self, signature: bytes) -> None:
        self._signature = signature

    def sign(self, data: bytes) -> bytes:
        return self._signature


if __name__ == "__main__":
    main()

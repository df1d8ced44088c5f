"""Time a request of `osler serve` against `transformers serve` of the installed version, on a CPU.

Equal on both sides: the weights (a tiny CLIP + GPT-oss composition that LLaVA's layout can hold, untrained, so that
answers run to their limit), float32, one thread, one picture and a question a request, 64 tokens greedy, the same
clients on the same connections. Both sides are processes of their own that stay up; rounds are interleaved. The peer
has no keys, no audit and no limits; they are on here. Answers whose length is not 64 tokens stop the run.

Then, of `osler serve` alone: what the gateway adds to the engine's own time (one request at a time; the engine is asked
in this process with the pictures decoded), and how long admitted requests take at ten times the load that it has room
for, over what they take when it is just full.

    python benchmarks/serve.py [--rounds 3] [--requests 96]

Set TMPDIR to a disk that is not shared with other work: every answer waits for the audit trail to be on it.
"""

import argparse
import asyncio
import base64
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import numpy as np
import torch
import transformers

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

from serving import Service, children, running

from osler.core.files import sha256_file
from osler.core.log import Log
from osler.media.image import encode_png8, open_picture
from osler.model import checkpoint, export
from osler.model.families.tiny import FAMILY
from osler.model.prompt import conversation_text
from osler.schema.sample import image, user
from osler.serve.engine import Ask, Shown
from osler.serve.engines.embedded import EmbeddedEngine
from toy import picture, samples

TOKENS, AT_ONCE, SLOTS = 64, (1, 4, 16), 16
QUESTION = "Describe the picture."
Sender = Callable[[httpx2.Client, int], float]


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that both servers end with this process
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        print(f"one fsync where the audit trail is written: {fsync_ms(folder):.1f} ms (p50)")
        model = build(folder)
        recipe = {"embedded": {"model": str(model), "num_slots": SLOTS}, "limits": _limits()}
        with running(folder / "ours", recipe) as ours, peer(folder / "llava" / "model") as theirs:
            compare(ours, theirs, rounds=arguments.rounds, num_requests=arguments.requests)
            overhead(ours, model)
            overload(ours)


def compare(ours: Service, peer: "Peer", *, rounds: int, num_requests: int) -> None:
    """Time a request on both sides, by the clock and of the processor, and the ratios."""
    print(f"transformers {transformers.__version__}, torch {torch.__version__}, {num_requests} requests a round")
    theirs = Side(peer.pid, sender(peer.url, peer.name, {}))
    mine = Side(ours.pid, sender(ours.url, "tiny", ours.headers()))
    for number in AT_ONCE:
        count = num_requests * max(number, 4) // 16
        found = [(timed(theirs, count // 2, number), timed(mine, count, number)) for _ in range(rounds)]
        shown = []
        for what, place in (("wall", 0), ("processor", 1)):
            them = [each[0][place] / (count // 2) for each in found]
            us = [each[1][place] / count for each in found]
            ratios = [a / b for a, b in zip(them, us, strict=True)]
            shown.append(
                f"{what} {1000 * statistics.median(us):.0f} ms a request, transformers serve "
                f"{1000 * statistics.median(them):.0f}: {statistics.median(ratios):.1f}x "
                f"({min(ratios):.1f} to {max(ratios):.1f})"
            )
        print(f"at once {number:2d}: {'; '.join(shown)}", flush=True)


def overhead(ours: Service, model: Path) -> None:
    """The gateway's share of a request's time, one at a time."""
    loaded, processing = checkpoint.load(model, experts="eager")
    engine = EmbeddedEngine(loaded, processing, name="tiny", sha256="", feature_cache_bytes=0)
    tiles = [processing.image_processor.tiles(open_picture(film(n))) for n in range(16)]
    send = sender(ours.url, "tiny", ours.headers())

    async def alone(number: int) -> float:
        start = time.perf_counter()
        shown = Shown(tiles[number % 16].numpy().tobytes(), "", 96, 96, 1, "", str(number))
        asked = Ask(turns=(user(image("a"), QUESTION),), pictures=(shown,), max_tokens=TOKENS)
        async for _ in engine.answer(asked):
            pass
        return time.perf_counter() - start

    async def both() -> list[tuple[float, float]]:
        await engine.start()
        with httpx2.Client(timeout=60, trust_env=False) as client:
            found = [(await alone(n), send(client, n)) for n in range(40)]
        await engine.close()
        return found[8:]

    pairs = asyncio.run(both())
    engine_s, gateway_s = (statistics.median(column) for column in zip(*pairs, strict=True))
    added = statistics.median(b - a for a, b in pairs)
    both_ms = f"engine alone {1000 * engine_s:.1f} ms, through the gateway {1000 * gateway_s:.1f} ms"
    print(f"{both_ms}; the gateway adds {1000 * added:.1f} ms (p50)")


def overload(ours: Service) -> None:
    """Time of admitted requests when full, and at ten times that."""
    full, _ = load(ours, SLOTS, seconds=8)
    over, refused = load(ours, 10 * SLOTS, seconds=10)
    p99 = [float(np.quantile(times, 0.99)) for times in (full, over)]
    print(
        f"{SLOTS} at once: p99 {p99[0]:.2f} s; {10 * SLOTS} at once: p99 of {len(over)} admitted {p99[1]:.2f} s "
        f"({p99[1] / p99[0]:.2f}x), {refused} told to come again"
    )


def load(ours: Service, number: int, *, seconds: float) -> tuple[list[float], int]:
    """Clients that ask again at once when answered, and when they are told to where they are refused."""
    times: list[float] = []
    refused = 0
    body = json.dumps(request("tiny", 1)).encode()
    headers = {**ours.headers(), "content-type": "application/json"}

    async def client(http: httpx2.AsyncClient, end: float) -> None:
        nonlocal refused
        while time.monotonic() < end:
            start = time.perf_counter()
            reply = await http.post(f"{ours.url}/chat/completions", content=body, headers=headers)
            took = time.perf_counter() - start
            assert reply.status_code in {200, 503}, reply.text
            if reply.status_code == 200:
                times.append(took)
            else:
                refused += 1
                await asyncio.sleep(int(reply.headers["retry-after"]))

    async def together() -> None:
        limits = httpx2.Limits(max_connections=number)
        async with httpx2.AsyncClient(timeout=120, trust_env=False, limits=limits) as http:
            end = time.monotonic() + seconds
            await asyncio.gather(*(client(http, end) for _ in range(number)))

    asyncio.run(together())
    return times, refused


def fsync_ms(folder: Path) -> float:
    """What this disk takes to say that a line is written; no answer leaves before that."""
    times = []
    with (folder / "probe").open("ab") as file:
        for _ in range(15):
            start = time.perf_counter()
            file.write(b"x" * 300)
            file.flush()
            os.fsync(file.fileno())
            times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def build(folder: Path) -> Path:
    """The composition with its manifest, and the same weights in LLaVA's layout."""
    family = replace(FAMILY, downsample_ratio=1.0, max_tiles=1, projector_layer_norm=False)
    model, processing = family.build([conversation_text(s) for n in range(20) for s in samples(n)], seed=0)
    checkpoint.save(model, processing, folder / "model")
    outputs = {p.relative_to(folder).as_posix(): sha256_file(p) for p in (folder / "model").iterdir()}
    (folder / "manifest.json").write_text(json.dumps({"outputs": outputs}))
    config = export.parse({"model": str(folder / "model"), "format": "llava"})
    export.run(config, folder / "llava", device="cpu", log=Log(quiet=True))
    return folder / "model"


@contextmanager
def peer(folder: Path) -> "Iterator[Peer]":
    """`transformers serve` of the model, up and asked once: see Peer."""
    command = [str(Path(sys.executable).parent / "transformers"), "serve", str(folder), "--device", "cpu"]
    command += ["--dtype", "float32", "--port", "8791", "--host", "127.0.0.1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    log = folder.parent / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    url = "http://127.0.0.1:8791/v1"
    try:
        for _ in range(240):
            try:
                with httpx2.Client(timeout=60, trust_env=False) as client:
                    sender(url, str(folder), {})(client, 0)
                break
            except httpx2.HTTPError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.5)
        yield Peer(process.pid, url, str(folder))
    finally:
        process.terminate()
        process.wait(30)


def sender(url: str, model: str, headers: dict[str, str]) -> Sender:
    """Sends request `number` and returns how long the answer took."""

    def send(client: httpx2.Client, number: int) -> float:
        start = time.perf_counter()
        reply = client.post(f"{url}/chat/completions", json=request(model, number), headers=headers)
        took = time.perf_counter() - start
        assert reply.status_code == 200, reply.text
        assert reply.json()["usage"]["completion_tokens"] == TOKENS, reply.text
        return took

    return send


def request(model: str, number: int) -> dict[str, Any]:
    url = f"data:image/png;base64,{base64.b64encode(film(number)).decode()}"
    content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": QUESTION}]
    fields = {"model": model, "max_tokens": TOKENS, "temperature": 0}
    return {**fields, "messages": [{"role": "user", "content": content}]}


def film(number: int) -> bytes:
    return encode_png8(picture(number % 16)[0])


class Side(NamedTuple):
    """A server's process and how it is asked."""

    pid: int
    send: Sender


class Peer(NamedTuple):
    """The peer's process, its address and the model's name there."""

    pid: int
    url: str
    name: str


def timed(side: Side, count: int, at_once: int) -> tuple[float, float]:
    """Seconds for `count` requests, `at_once` at a time: by the clock, and of the processor at the server."""
    numbers, lock = iter(range(count)), threading.Lock()

    def client() -> None:
        with httpx2.Client(timeout=600, trust_env=False) as http:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                side.send(http, number)

    start, before = time.perf_counter(), processor_s(side.pid)
    together([client] * at_once)
    return time.perf_counter() - start, processor_s(side.pid) - before


def processor_s(pid: int) -> float:
    """Seconds of processor time of a process and its children."""
    total = 0.0
    for each in (pid, *children(pid)):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def together(work: list[Callable[[], None]]) -> None:
    """Run all; an error of one is raised."""
    errors: list[Exception] = []

    def guarded(each: Callable[[], None]) -> None:
        try:
            each()
        except Exception as error:  # noqa: BLE001 - raised below, in the main thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(each,)) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _limits() -> dict[str, Any]:
    return {"requests_per_minute": 100_000, "burst": 100_000, "max_admitted": SLOTS + SLOTS // 8}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=96)
    return parser.parse_args()


if __name__ == "__main__":
    main()

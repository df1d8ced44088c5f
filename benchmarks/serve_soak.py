"""Memory and open files of `osler serve` over a long time of mixed use. No peer: growth is printed, not a ratio.

Eight clients ask with and without pictures, at once and streamed, hang up in the middle, send broken pictures, wrong
fields and wrong keys. Resident memory and open files are read every second; the first tenth of the time is warm-up,
after which the median of the last tenth is set against that of the second.

    python benchmarks/serve_soak.py [--minutes 10]
"""

import argparse
import base64
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

from serving import Service, children, resident_mb, running, save_model

from osler.media.image import encode_png8
from osler.media.plain import plain_file
from toy import picture

CLIENTS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as place:
        model = save_model(Path(place) / "model")
        limits = {"requests_per_minute": 1_000_000, "burst": 1_000_000, "max_admitted": 24, "max_tokens": 256}
        with running(Path(place) / "service", {"embedded": {"model": str(model)}, "limits": limits}) as service:
            soak(service, 60 * minutes)


def soak(service: Service, seconds: float) -> None:
    """Ask for so long, then say what grew."""
    end = time.monotonic() + seconds
    counts: Counter[str] = Counter()
    threads = [threading.Thread(target=use, args=(service, n, end, counts)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    memory, files = [], []
    while time.monotonic() < end:
        memory.append(resident_mb(service.pid))
        files.append(sum(1 for _ in Path(f"/proc/{service.pid}/fd").iterdir()))
        time.sleep(1)
    for thread in threads:
        thread.join()
    time.sleep(2)
    at_rest = sum(1 for _ in Path(f"/proc/{service.pid}/fd").iterdir())
    tenth = max(1, len(memory) // 10)
    before, after = statistics.median(memory[tenth : 2 * tenth]), statistics.median(memory[-tenth:])
    print(f"{sum(counts.values())} requests in {seconds:.0f} s: {dict(sorted(counts.items()))}")
    print(f"memory {before:.0f} MB, then {after:.0f} MB: drift {100 * (after - before) / before:+.1f} %")
    first, last = (statistics.median(each) for each in (files[tenth : 2 * tenth], files[-tenth:]))
    print(f"open files {first:.0f}, then {last:.0f}, at rest {at_rest}; processes {1 + len(children(service.pid))}")


def use(service: Service, number: int, end: float, counts: "Counter[str]") -> None:
    """One client's requests."""
    rng = random.Random(number)
    with httpx2.Client(base_url=service.url, timeout=60, trust_env=False) as http:
        while time.monotonic() < end:
            counts[ask(service, http, rng)] += 1


def ask(service: Service, http: httpx2.Client, rng: random.Random) -> str:
    """One request of some kind; returns what came of it."""
    content: list[dict[str, object]] = [{"type": "text", "text": f"What is seen? {rng.random()}"}]
    data = plain_file(encode_png8(picture(rng.randrange(500))[0]))[0]
    kind = rng.random()
    if kind < 0.1:
        data = data[: rng.randrange(20, len(data))]
    if kind < 0.7:
        url = "data:image/png;base64," + base64.b64encode(data).decode()
        content.insert(0, {"type": "image_url", "image_url": {"url": url}})
    body = {"model": "tiny", "max_tokens": rng.randint(1, 60), "messages": [{"role": "user", "content": content}]}
    body |= {"stream": kind > 0.5, "temperature": rng.choice((0, 1.0)), "logprobs": rng.random() < 0.2}
    body |= {"tools": []} if rng.random() < 0.05 else {}
    headers = service.headers(rng.choice("ab")) if rng.random() > 0.05 else {"authorization": "Bearer osler_a_no"}
    try:
        with http.stream("POST", "/chat/completions", json=body, headers=headers) as reply:
            for number, _ in enumerate(reply.iter_bytes()):
                if number == 2 and rng.random() < 0.2:
                    return "left"
            return str(reply.status_code)
    except httpx2.HTTPError as error:
        return type(error).__name__


if __name__ == "__main__":
    main()

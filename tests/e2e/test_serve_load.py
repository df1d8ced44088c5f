"""Load beyond what there is room for: those who are let in are answered about as soon as ever."""

import asyncio
import time

import httpx2
import numpy as np
import pytest

from osler.serve.limits import Limits
from serve_world import KEY, Saying, Served

pytestmark = pytest.mark.e2e
SLOTS, SERVICE_S = 16, 0.8


class Slotted(Saying):
    """An engine that writes for so many at once and takes the same time for each, whatever the machine is at."""

    def __init__(self):
        super().__init__(["two"])
        self.room = asyncio.Semaphore(SLOTS)

    async def answer(self, ask):
        async with self.room:
            await asyncio.sleep(SERVICE_S)
            async for piece in super().answer(ask):
                yield piece


def test_ten_times_the_load_does_not_double_the_wait_of_the_admitted():
    limits = Limits(max_admitted=SLOTS + SLOTS // 4, requests_per_minute=1e6, burst=100_000)
    body = {"model": "toy", "messages": [{"role": "user", "content": "a"}]}

    async def client(http, begin_s, end, times, refused):
        await asyncio.sleep(begin_s)
        while time.monotonic() < end:
            start = time.monotonic()
            reply = await http.post("/v1/chat/completions", json=body, headers={"authorization": f"Bearer {KEY}"})
            if reply.status_code == 200:
                times.append(time.monotonic() - start)
            else:
                assert reply.status_code == 503
                refused.append(int(reply.headers["retry-after"]))
                await asyncio.sleep(refused[-1])

    async def load(served, number, seconds):
        times, refused = [], []
        transport = httpx2.ASGITransport(served.app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://a", limits=httpx2.Limits(max_connections=number)
        ) as http:
            end = time.monotonic() + seconds
            await asyncio.gather(*(client(http, n / number, end, times, refused) for n in range(number)))
        return times, refused

    async def work():
        served = Served(Slotted(), limits=limits)
        async with served.app.router.lifespan_context(served.app):
            return await load(served, SLOTS, 4), await load(served, 10 * SLOTS, 12)

    (full, none), (over, refused) = asyncio.run(work())
    p99 = [float(np.quantile(times, 0.99)) for times in (full, over)]
    ratio = p99[1] / p99[0]
    print(f"p99 {p99[0]:.2f} s when full, {p99[1]:.2f} s at ten times that: {ratio:.2f}x; {len(refused)} refused")
    assert none == [] and len(refused) > 100
    assert len(over) > 100
    assert ratio < 2

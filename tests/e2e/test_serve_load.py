"""Load beyond what there is room for: those who are let in never wait for more than a few.

How long they take is measured by benchmarks/serve.py; here the clock of a busy machine decides nothing.
"""

import asyncio
import time

import httpx2
import numpy as np
import pytest

from osler.serve.limits import Limits
from serve_world import KEY, Saying, Served

pytestmark = pytest.mark.e2e
SLOTS, FEW, SERVICE_S = 16, 2, 0.5


class Slotted(Saying):
    """An engine that writes for so many at once and takes the same time for each, whatever the machine is at."""

    def __init__(self):
        super().__init__(["two"])
        self.room = asyncio.Semaphore(SLOTS)
        self.num_inside = self.most_inside = 0

    async def answer(self, ask):
        self.num_inside += 1
        self.most_inside = max(self.most_inside, self.num_inside)
        try:
            async with self.room:
                await asyncio.sleep(SERVICE_S)
                async for piece in super().answer(ask):
                    yield piece
        finally:
            self.num_inside -= 1


def test_at_ten_times_the_load_few_wait_and_the_others_are_told_when_to_come():
    limits = Limits(max_admitted=SLOTS + FEW, requests_per_minute=1e6, burst=100_000)
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
            full, over = await load(served, SLOTS, 2), await load(served, 10 * SLOTS, 6)
            return full, over, served.engine.most_inside, served.app.state.admission.num_inside

    (full, none), (over, refused), most_inside, left = asyncio.run(work())
    p99 = [float(np.quantile(times, 0.99)) for times in (full, over)]
    ratio = p99[1] / p99[0]
    print(f"p99 {p99[0]:.2f} s when full, {p99[1]:.2f} s at ten times that: {ratio:.2f}x; {len(refused)} refused")
    assert none == [] and len(full) >= SLOTS
    assert len(over) >= 2 * SLOTS and len(refused) > SLOTS and min(refused) >= 1
    assert (most_inside <= SLOTS + FEW, left) == (True, 0)

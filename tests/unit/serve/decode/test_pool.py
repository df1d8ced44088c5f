"""The decoders' keeper: late and dead workers are replaced, and nobody waits for them for long."""

import asyncio
import io
import os
import signal
import time

import pytest
from PIL import Image

from osler.serve.decode.pool import Decoders
from osler.serve.engine import Tiling
from osler.serve.refusal import Refusal


def png(size=(8, 6), color=7, mode="L", **options):
    out = io.BytesIO()
    Image.new(mode, size, color).save(out, "PNG", **options)
    return out.getvalue()


def run(work, **options):
    async def whole():
        decoders = Decoders(**{"num_workers": 1, "max_pixels": 100_000, "timeout_s": 5, **options})
        await decoders.start()
        try:
            return await work(decoders)
        finally:
            await decoders.close()

    return asyncio.run(whole())


def pid(decoders):
    return next(iter(decoders._all))._process.pid


def test_tiles_are_those_of_the_rule():
    async def work(decoders):
        return await decoders.show([png((20, 10), 9)], Tiling(8, 1, 4, None))

    (shown,) = run(work)
    assert (shown.num_tiles, len(shown.data), set(shown.data)) == (3, 3 * 3 * 8 * 8, {9})
    assert (shown.width, shown.height, shown.media_type) == (20, 10, "")


def test_a_worker_that_dies_or_is_late_is_replaced():
    async def work(decoders):
        await decoders.show([png()], None)
        first = pid(decoders)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(Refusal) as died:
            await decoders.show([png()], None)
        await decoders.show([png()], None)
        second = pid(decoders)
        os.kill(second, signal.SIGSTOP)
        start = time.monotonic()
        with pytest.raises(Refusal) as late:
            await decoders.show([png()], None)
        assert time.monotonic() - start < 3
        assert (await decoders.show([png()], None))[0].width == 8
        return died.value.code, late.value.code, first != second != pid(decoders), decoders.num_replaced

    assert run(work, timeout_s=1.0) == ("decoder_died", "decoder_late", True, 2)


def test_asking_that_is_given_up_leaves_a_working_pool():
    async def work(decoders):
        asking = [asyncio.ensure_future(decoders.show([png((300, 300))], None)) for _ in range(6)]
        await asyncio.sleep(0.02)
        for each in asking:
            each.cancel()
        ended = await asyncio.wait_for(asyncio.gather(*asking, return_exceptions=True), 5)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended)
        return (await decoders.show([png()], None))[0].width

    assert run(work) == 8


def test_one_budget_for_all_pictures_of_a_request():
    async def work(decoders):
        await decoders.show([png((300, 300))], None)
        with pytest.raises(Refusal) as caught:
            await decoders.show([png((300, 300)), png((100, 101))], None)
        return caught.value.status, str(caught.value)

    assert run(work) == (413, "image 2 takes the request beyond the pixels that one may have")


def test_an_identity_is_that_of_bytes_and_preprocessing():
    async def work(decoders):
        same = [await decoders.show([png()], None) for _ in range(2)]
        others = [
            await decoders.show([png((6, 8))], None),
            await decoders.show([png(color=(7, 7, 7), mode="RGB")], None),
            await decoders.show([png()], Tiling(8, 1, 4, None)),
            await decoders.show([png()], Tiling(8, 1, 2, None)),
        ]
        return [shown.identity for (shown,) in [*same, *others]]

    found = run(work)
    assert found[0] == found[1]
    assert len(set(found)) == 5

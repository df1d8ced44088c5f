"""Images that mean harm, at the door of `osler serve`: bombs, and twenty thousand broken files."""

import asyncio
import io
import os
import random
import struct
import time
import zlib
from functools import lru_cache

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from serving import Memory, film, running, save_model, saved, uri

from osler.serve.decode.pool import Decoders
from osler.serve.engine import Shown, Tiling
from osler.serve.refusal import Refusal

pytestmark = pytest.mark.e2e
TILING = Tiling(96, 1, 4, None)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    model = save_model(tmp_path_factory.mktemp("model"))
    with running(tmp_path_factory.mktemp("service"), {"embedded": {"model": str(model)}}) as service:
        yield service


def header_bomb(width, height):
    """A PNG of a few bytes that says it is huge, with a body that unpacks to zeros."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(1 << 20), 9) * 1
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@lru_cache
def bombs():
    text = PngImagePlugin.PngInfo()
    text.add_text("a", "0" * 60_000_000, zip=True)
    frames = [Image.new("L", (500, 500), n % 256) for n in range(300)]
    gif, webp, tiff = io.BytesIO(), io.BytesIO(), io.BytesIO()
    frames[0].save(gif, "GIF", save_all=True, append_images=frames[1:])
    frames[0].save(webp, "WEBP", save_all=True, append_images=frames[1:40], lossless=True)
    frames[0].save(tiff, "TIFF", save_all=True, append_images=frames[1:], compression="tiff_adobe_deflate")
    apng = io.BytesIO()
    frames[0].save(apng, "PNG", save_all=True, append_images=frames[1:60])
    jpeg = bytearray(saved("JPEG", (64, 64)))
    place = jpeg.index(b"\xff\xc0") + 5
    jpeg[place : place + 4] = struct.pack(">HH", 65000, 65000)
    bmp = bytearray(saved("BMP", (8, 8)))
    bmp[18:26] = struct.pack("<ii", 60000, 60000)
    return {
        "png of 169 Mpx": saved("PNG", (13000, 13000)),
        "png header of 2^31": header_bomb(2**31 - 1, 2**31 - 1),
        "png header of 100 Mpx": header_bomb(10_000, 10_000),
        "png with a text of 60 MB": saved("PNG", (8, 8), pnginfo=text),
        "jpeg of 4 Gpx": bytes(jpeg),
        "jpeg of 64 Mpx": saved("JPEG", (8000, 8000)),
        "gif of 300 frames": gif.getvalue(),
        "webp of 40 frames": webp.getvalue(),
        "apng of 60 frames": apng.getvalue(),
        "tiff of 300 pages": tiff.getvalue(),
        "tiff of 100 Mpx": saved("TIFF", (10_000, 10_000), compression="tiff_adobe_deflate"),
        "bmp of 3.6 Gpx": bytes(bmp),
        "webp of 67 Mpx": saved("WEBP", (16_000, 4_200), "RGB"),
    }


@pytest.mark.parametrize("name", bombs())
def test_bombs_are_refused_at_once_and_small(service, name):
    data = bombs()[name]
    service.chat([film(0)])  # so that a worker is there
    with Memory(service.pid) as memory:
        start = time.monotonic()
        reply = service.chat([uri(data)])
        took_s = time.monotonic() - start
    print(f"{name}: {len(data)} bytes, {reply.status_code}, {1000 * took_s:.0f} ms, {memory.growth_mb:.0f} MB")
    assert 400 <= reply.status_code < 500, reply.text
    assert (took_s < 1.0, memory.growth_mb < 200) == (True, True)


def seeds():
    rng = np.random.default_rng(0)
    out = []
    for form, modes in {"PNG": "L RGB RGBA P 1 LA", "JPEG": "L RGB CMYK", "WEBP": "RGB RGBA", "GIF": "P L",
                        "BMP": "L RGB P", "TIFF": "L RGB P"}.items():  # fmt: skip
        for mode in modes.split():
            image = Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)).convert(mode)
            options = [{}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}] if form == "JPEG" else [{}]
            options += [{"compression": c} for c in ("tiff_lzw", "packbits")] if form == "TIFF" else []
            for each in options:
                file = io.BytesIO()
                image.save(file, form, **each)
                out.append(file.getvalue())
    return out


def mutated(rng, files):
    data = bytearray(rng.choice(files))
    kind = rng.random()
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(data)) if kind < 0.6 else rng.randrange(min(len(data), 64))
        data[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256), data[place] ^ (1 << rng.randrange(8))))
    if kind > 0.9:
        del data[rng.randrange(len(data)) :]
    elif kind > 0.85:
        other = rng.choice(files)
        data[rng.randrange(len(data)) :] = other[rng.randrange(len(other)) :]
    return bytes(data) or b"\0"


def test_twenty_thousand_broken_images_break_nothing():
    num_cases = int(os.environ.get("OSLER_FUZZ_CASES", "20000"))
    rng, files = random.Random(0), seeds()
    outcomes = {}

    async def fuzz():
        decoders = Decoders(num_workers=2, max_pixels=4_000_000, timeout_s=5)
        await decoders.start()
        slowest = 0.0

        async def lane(count):
            nonlocal slowest
            for number in range(count):
                start = time.monotonic()
                try:
                    (shown,) = await decoders.show(
                        [mutated(rng, files)], Tiling(96, 1, 4, None) if number % 2 else None
                    )
                    assert isinstance(shown, Shown)
                    name = "shown"
                except Refusal as refusal:
                    assert 400 <= refusal.status < 500
                    name = refusal.code
                outcomes[name] = outcomes.get(name, 0) + 1
                slowest = max(slowest, time.monotonic() - start)

        try:
            start = time.monotonic()
            await asyncio.gather(lane(num_cases // 2), lane(num_cases // 2))
            took = time.monotonic() - start
            return slowest, num_cases / took, decoders.num_replaced
        finally:
            await decoders.close()

    slowest, rate, replaced = asyncio.run(fuzz())
    print(f"{num_cases} cases, {rate:.0f}/s, slowest {slowest:.2f} s, {outcomes}, workers replaced {replaced}")
    assert outcomes.get("decoder_died", 0) + outcomes.get("decoder_late", 0) == 0
    assert outcomes["shown"] > num_cases // 20 and outcomes["damaged_image"] > num_cases // 20

import io

import numpy as np
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.media.image import check_image, decode_image, encode_png8, encode_png16, image_facts
from osler.media.window import full_range
from osler.schema.media import Window
from osler.schema.sample import image

RAMP = np.linspace(0, 4095, 96 * 64).reshape(64, 96).astype(np.uint16)


def saved(picture: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, format=kind, **options)
    return out.getvalue()


def noise(height=40, width=60, channels=3) -> np.ndarray:
    return generator(0, "noise").integers(0, 256, (height, width, channels)).astype(np.uint8)


def test_sixteen_bits_are_windowed_not_clipped():
    data = encode_png16(RAMP)
    ref = image("a.png", bits=16, window=Window(center=2047.5, width=4095))
    pixels = decode_image(data, ref)
    assert pixels.shape == (64, 96, 3) and pixels.dtype == np.uint8
    assert (pixels == 255).mean() < 0.01, "a plain conversion would saturate nine tenths"
    assert np.array_equal(pixels[..., 0], np.rint(RAMP / 4095 * 255).astype(np.uint8))
    assert np.array_equal(pixels, decode_image(data, full_range(12)))


def test_sixteen_bits_without_a_window_are_refused():
    with pytest.raises(InputError, match="'a.png' stores 16 bits per pixel and has no window.*full_range"):
        decode_image(encode_png16(RAMP), image("a.png"))


def test_colours_come_back_exactly():
    pixels = noise()
    assert np.array_equal(decode_image(encode_png8(pixels)), pixels)
    gray = pixels[..., 0]
    assert np.array_equal(decode_image(encode_png8(gray)), np.repeat(gray[..., None], 3, axis=2))


def test_a_window_applies_to_gray_and_not_to_colour():
    gray = np.array([[0, 100, 200]], np.uint8)
    window = Window(center=100, width=100)
    assert decode_image(encode_png8(gray), window)[0, :, 0].tolist() == [0, 128, 255]
    with pytest.raises(InputError, match="in colour"):
        decode_image(encode_png8(noise()), window)


def test_palette_transparency_and_cmyk():
    palette = Image.fromarray(noise()).convert("P")
    assert np.array_equal(decode_image(saved(palette, "PNG")), np.asarray(palette.convert("RGB")))
    clear = np.zeros((2, 2, 4), np.uint8)
    clear[0, 0] = (10, 20, 30, 255)
    pixels = decode_image(saved(Image.fromarray(clear), "PNG"))
    assert pixels[0, 0].tolist() == [10, 20, 30] and pixels[1, 1].tolist() == [255, 255, 255]
    keyed = saved(Image.new("L", (2, 2), 0), "PNG", transparency=0)
    assert decode_image(keyed).tolist() == [[[255] * 3] * 2] * 2
    red = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert decode_image(saved(red, "JPEG", quality=95))[4, 4] == pytest.approx([255, 0, 0], abs=4)
    assert decode_image(saved(Image.new("1", (3, 2), 1), "PNG")).tolist() == [[[255] * 3] * 3] * 2


def test_exif_orientation_turns_the_image_and_its_facts():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.new("RGB", (30, 20), (255, 0, 0)), "JPEG", exif=exif)
    assert decode_image(data).shape == (30, 20, 3)
    facts = image_facts(data)
    assert (facts.width, facts.height, facts.bits, facts.suffix) == (20, 30, 8, "jpg")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_a_truncated_file_is_an_error_never_half_an_image(kind):
    data = saved(Image.fromarray(noise(200, 300)), kind)
    check_image(data)
    for keep in (0.97, 0.5, 0.1):
        with pytest.raises(InputError, match="truncated or damaged"):
            check_image(data[: int(len(data) * keep)])


def test_a_damaged_png_is_an_error():
    data = bytearray(encode_png8(noise()))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(InputError, match="truncated or damaged"):
        check_image(bytes(data))


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_named(data):
    for read in (decode_image, check_image, image_facts):
        with pytest.raises(InputError, match="no image file|truncated"):
            read(data)


def test_more_than_one_frame_is_refused():
    frames = [Image.new("L", (4, 4), value) for value in (0, 100, 200)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="holds 3 frames; expected one"):
        decode_image(data)


def test_sixteen_bit_colour_is_refused():
    import struct
    import zlib

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    body = zlib.compress(bytes(1 + 12))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    assert image_facts(data).bits == 16
    with pytest.raises(InputError, match="16-bit colour"):
        decode_image(data)


def test_an_image_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(InputError, match="too large"):
        decode_image(encode_png8(noise()))


def test_facts_come_from_the_header_alone():
    facts = image_facts(encode_png16(RAMP)[:60])
    assert (facts.width, facts.height, facts.bits, facts.suffix) == (96, 64, 16, "png")
    assert image_facts(saved(Image.fromarray(RAMP), "TIFF")).bits == 16


@pytest.mark.parametrize(
    ("encode", "pixels"),
    [(encode_png8, RAMP), (encode_png16, noise()), (encode_png16, RAMP[None]), (encode_png8, noise()[None])],
)
def test_pixels_of_another_shape_are_refused(encode, pixels):
    with pytest.raises(InputError, match="cannot write"):
        encode(pixels)

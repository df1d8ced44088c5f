import io
import zlib

import numpy as np
import pytest
from PIL import Image

from films import film, saved
from osler.core.errors import InputError
from osler.core.rng import generator
from osler.media import hashing
from osler.media.hashing import dhash256, gray_hash, pixel_sha256, read_content, read_gray, variants
from osler.media.image import encode_png16
from osler.schema.media import Window

CHUNK = b"\x00\x00\x00\rIHDR"


def bits_apart(first: bytes, second: bytes) -> int:
    return (int.from_bytes(first) ^ int.from_bytes(second)).bit_count()


def nearest(codes: np.ndarray, code: bytes) -> int:
    return int(np.bitwise_count(codes ^ np.frombuffer(code, np.uint8)).sum(axis=1).min())


def bomb() -> bytes:
    """A PNG that says it is 60,000 pixels wide and high."""
    data = saved(np.zeros((4, 4), np.uint8))
    head = (60_000).to_bytes(4) * 2 + b"\x08\x00\x00\x00\x00"
    return data[:16] + head + zlib.crc32(b"IHDR" + head).to_bytes(4) + data[33:]


def test_pixels_have_one_hash_in_every_lossless_form():
    gray = film(0)
    colour = np.repeat(gray[..., None], 3, axis=2)
    digests = {pixel_sha256(saved(gray)), pixel_sha256(saved(gray, "BMP")), pixel_sha256(saved(colour, "TIFF"))}
    assert len(digests) == 1
    changed = gray.copy()
    changed[3, 5] ^= 1
    assert pixel_sha256(saved(changed)) not in digests
    assert pixel_sha256(saved(gray.T.copy())) not in digests


def test_a_hash_has_256_bits_and_says_which_neighbour_is_brighter():
    brighter = np.tile(np.arange(170, dtype=np.uint8), (160, 1))
    assert gray_hash(brighter) == b"\xff" * 32
    assert gray_hash(brighter[:, ::-1].copy()) == b"\x00" * 32
    assert len(dhash256(saved(film(1)))) == hashing.HASH_BYTES


def test_there_is_no_hash_of_64_bits():
    assert not [name for name in dir(hashing) if "64" in name]


@pytest.mark.parametrize(
    "options", [{"kind": "JPEG", "quality": 20}, {"kind": "JPEG", "quality": 90}, {"kind": "WEBP"}]
)
def test_compression_moves_a_hash_little(options):
    assert bits_apart(dhash256(saved(film(2))), dhash256(saved(film(2), **options))) <= 40


def test_size_and_colour_move_a_hash_little():
    small = np.asarray(Image.fromarray(film(2)).resize((64, 64)))
    tinted = np.stack([film(2), (film(2) * 0.9).astype(np.uint8), (film(2) * 0.8).astype(np.uint8)], axis=-1)
    for copy in (small, tinted):
        assert bits_apart(dhash256(saved(film(2))), dhash256(saved(copy))) <= 40


@pytest.mark.parametrize("value", [0, 255])
def test_a_margin_is_taken_off(value):
    padded = np.pad(film(3), ((40, 10), (20, 60)), constant_values=value)
    assert bits_apart(dhash256(saved(film(3))), dhash256(saved(padded))) <= 40


def test_an_image_without_content_keeps_its_size():
    flat = np.full((200, 140), 7, np.uint8)
    assert hashing.without_border(flat).shape == flat.shape
    assert gray_hash(flat) == bytes(32)


def test_deep_gray_is_shown_through_its_window_or_whole():
    ramp = np.tile(np.arange(0, 4096, 16, dtype=np.uint16), (256, 1))
    assert dhash256(encode_png16(ramp)) == b"\xff" * 32
    seen = read_gray(encode_png16(ramp), window=Window(center=1000, width=10))
    assert set(np.unique(seen)) <= set(range(256)) and seen[0, 0] == 0 and seen[0, -1] == 255


def test_a_turned_jpeg_is_read_as_it_is_seen():
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = saved(np.rot90(film(4)).copy(), "JPEG", quality=95, exif=exif)
    assert bits_apart(dhash256(lying), dhash256(saved(film(4)))) <= 16


@pytest.mark.parametrize("data", [b"", b"text", saved(np.eye(9, dtype=np.uint8))[:-30], b"\xff\xd8\xff\xe0", bomb()])
@pytest.mark.parametrize("function", [dhash256, pixel_sha256, read_content])
def test_what_is_no_image_is_refused(function, data):
    with pytest.raises(InputError):
        function(data)


def test_a_torn_jpeg_is_refused():
    whole = saved(film(4), "JPEG")
    with pytest.raises(InputError):
        dhash256(whole[: len(whole) // 2])


def test_values_that_are_no_numbers_are_refused():
    out = io.BytesIO()
    Image.fromarray(np.full((40, 40), np.nan, np.float32)).save(out, "TIFF")
    with pytest.raises(InputError, match="no numbers"):
        dhash256(out.getvalue())


CHANGES = {
    "mirrored": lambda x, random: x[:, ::-1],
    "quarter": lambda x, random: np.rot90(x, random.integers(1, 4)),
    "tilted": lambda x, random: np.asarray(Image.fromarray(x).rotate(random.uniform(-5, 5), Image.Resampling.BICUBIC)),
    "centre": lambda x, random: cropped(x, *[random.uniform(0.01, 0.075)] * 4),
    "upper corner": lambda x, random: cropped(x, 0.15, 0, 0, 0.15),
    "lower corner": lambda x, random: cropped(x, 0, 0.13, 0.13, 0),
    "side": lambda x, random: cropped(x, 0, 0, random.uniform(0.02, 0.15), 0),
}


def cropped(x: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    height, width = x.shape
    return x[round(top * height) : round((1 - bottom) * height), round(left * width) : round((1 - right) * width)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_variant_lies_near_the_changed_copy(change):
    random = generator(0, "variants", change)
    for number in range(6):
        copy = np.ascontiguousarray(CHANGES[change](film(number), random))
        assert nearest(variants(read_gray(saved(film(number)))).codes, dhash256(saved(copy))) <= 48


def test_every_variant_says_where_it_was_cut():
    found = variants(read_gray(saved(film(5))))
    assert len(found.codes) == len(found.places) and found.codes.shape[1] == 32
    form, box = found.places[0]
    assert (form, box) == (0, (0.0, 0.0, 1.0, 1.0)) and found.codes[0].tobytes() == gray_hash(found.forms[0])
    assert {form for form, _ in found.places} == set(range(len(found.forms)))
    assert len(hashing.crop_boxes()) == len(set(hashing.crop_boxes())) == 15 * 15 + 1

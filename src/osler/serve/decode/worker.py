"""A process that opens image files and nothing else: no other file, no socket, bounded memory.

It reads jobs from its standard input and writes pictures to its standard output, both as a line of JSON and the bytes
that the line announces; nothing is unpickled on either side, so a file that takes this process over gains a pipe of
pictures. Started by `osler.serve.decode.pool`.
"""

import hashlib
import io
import json
import resource
import sys
from pathlib import Path
from typing import IO, Any

from PIL import Image

from osler.core.errors import InputError
from osler.media.image import image_facts, open_picture
from osler.media.plain import plain_file
from osler.media.tiles import cut_tiles

# Part of every identity: to be raised when pixels change for the same file.
PREPROCESSING = "1"
_BYTES_A_PIXEL = 16
_BASE_BYTES = 256 << 20
_STREAMS = 3
_KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def main() -> None:
    """Serve jobs until the input ends."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    settings = json.loads(source.readline())
    Image.MAX_IMAGE_PIXELS = None  # the budget below is checked first and is the one that counts
    _warm_up()
    _confine(settings["max_pixels"])
    while line := source.readline():
        job = json.loads(line)
        files = [source.read(size) for size in job["sizes"]]
        try:
            _answer(target, *_shown(files, job["tiling"], settings["max_pixels"]))
        except _Unfit as unfit:
            _answer(target, {"code": unfit.code, "number": unfit.number}, [])


class _Unfit(Exception):
    """Why file `number` is not shown."""

    def __init__(self, code: str, number: int) -> None:
        super().__init__(code)
        self.code, self.number = code, number


def _shown(files: list[bytes], tiling: dict[str, Any] | None, max_pixels: int) -> tuple[dict[str, Any], list[bytes]]:
    """All headers are read, and the budget checked, before a pixel is decoded."""
    facts = []
    for number, data in enumerate(files):
        try:
            facts.append(image_facts(data))
        except InputError as error:
            raise _Unfit("not_an_image" if "no image file" in str(error) else "damaged_image", number) from error
        except Exception as error:
            raise _Unfit("damaged_image", number) from error
        if sum(each.width * each.height for each in facts) > max_pixels:
            raise _Unfit("too_many_pixels", number)
        if facts[-1].bits > 8:
            raise _Unfit("too_many_bits", number)
    pictures, pieces = [], []
    for number, data in enumerate(files):
        try:
            about, piece = _show(data, tiling)
        except MemoryError as error:
            raise _Unfit("too_many_pixels", number) from error
        except Exception as error:
            raise _Unfit("damaged_image", number) from error
        pictures.append(about)
        pieces.append(piece)
    return {"pictures": pictures}, pieces


def _show(data: bytes, tiling: dict[str, Any] | None) -> tuple[dict[str, Any], bytes]:
    picture = open_picture(data)
    width, height = picture.size
    sha256 = hashlib.sha256(data).hexdigest()
    told = [sha256, width, height, picture.mode, PREPROCESSING, tiling]
    about = {
        "width": width,
        "height": height,
        "sha256": sha256,
        "identity": hashlib.sha256(json.dumps(told).encode()).hexdigest(),
    }
    if tiling is None:
        piece, media_type = plain_file(data)
        return {**about, "media_type": media_type, "num_tiles": 0}, piece
    tiles = cut_tiles(picture, **tiling, threads=1)
    return {**about, "media_type": "", "num_tiles": len(tiles)}, tiles.tobytes()


def _answer(target: IO[bytes], about: dict[str, Any], pieces: list[bytes]) -> None:
    target.write(json.dumps({**about, "sizes": [len(piece) for piece in pieces]}).encode() + b"\n")
    for piece in pieces:
        target.write(piece)
    target.flush()


def _confine(max_pixels: int) -> None:
    """No core dump, no file written, none opened, no more memory than the largest pictures take."""
    num_pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_STREAMS, _STREAMS))
    memory = num_pages * resource.getpagesize() + _BASE_BYTES + _BYTES_A_PIXEL * max_pixels
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _warm_up() -> None:
    """Read one picture of each kind, so that every module is loaded before files can no longer be opened."""
    Image.init()
    for kind in _KINDS:
        for mode in ("L", "RGB", "P"):
            if kind in {"JPEG", "WEBP"} and mode == "P":
                continue
            made = io.BytesIO()
            options = {"exif": _turned()} if kind in {"JPEG", "PNG", "WEBP", "TIFF"} else {}
            Image.new(mode, (8, 6)).save(made, kind, **options)
            _show(made.getvalue(), None)
    _show(made.getvalue(), {"tile_px": 8, "min_tiles": 1, "max_tiles": 4, "max_upscale": None})


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return bytes(exif.tobytes())


if __name__ == "__main__":
    main()

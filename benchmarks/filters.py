"""The picture filters: processor time of each, and what they drop of real pictures and of spoilt copies of them.

Time is for one 512 x 512 JPEG, decoding apart. Two peers stand beside it: OpenCV's Laplacian for sharpness, and the
text detector on every picture for the gate before it. Real pictures are those of the test data (`OSLER_TEST_DATA`):
radiographs, CT, MR, ultrasound, fundus, blood films. Each filter runs at its default limits; what it drops of them as
they were published is counted as false. Spoilt copies are drawn from every sixth of them.

    python benchmarks/filters.py [--rounds 7] [--every 1]
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from osler.core.catalog import OPERATORS
from osler.core.rng import generator
from osler.core.settings import read_settings
from osler.curate.operator import RECORDS
from osler.media import lettering, quality, screen

FOLDERS = {
    "vqa_rad": ("vqa_rad/images/*.jpg", 1),
    "breast ultrasound": ("cls_busi_ultrasound/**/*).png", 1),
    "chest x-ray": ("covid_chestxray/images/*", 1),
    "fundus": ("fundus_chasedb1/**/*.jpg", 1),
    "brain mri": ("cls_brain_tumor_mri/**/*.jpg", 1),
    "white blood cells": ("cls_wbc_blood/**/*.jpeg", 3),
    "blood films": ("det_bccd/**/*.jpg", 1),
}
FILTERS = (
    "drop_small_image",
    "drop_extreme_aspect",
    "drop_borders",
    "drop_blurred",
    "drop_compressed",
    "drop_flat",
    "drop_screenshot",
    "drop_narrator",
    "drop_overlaid_text",
)
WORDS = "the patient was seen in clinic with an opacity of right lower lobe compared to prior film normal heart size"


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and accuracy of the picture filters.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--every", type=int, default=1, help="take only every so many of the real pictures")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print_times(arguments.rounds)
    folder = read_settings().test_data
    if not folder.is_dir():
        print("no test data: accuracy not measured")
        return
    real = {name: paths(folder, pattern, step * arguments.every) for name, (pattern, step) in FOLDERS.items()}
    print_false_drops(real)
    print_caught([path for found in real.values() for path in found][::6])


def print_times(rounds: int) -> None:
    """Median ms of processor time of each measure, and of each filter with decoding."""
    picture = drawn()
    data = jpeg(picture, 90)
    rgb = np.asarray(picture)
    gray = np.asarray(picture.convert("L"))
    finder = lettering.TextFinder()
    steps: dict[str, Callable[[], object]] = {
        "decoding to gray": partial(quality.gray_pixels, data),
        "sharpness": partial(quality.sharpness, gray),
        "sharpness, cv2.Laplacian(gray).var()": lambda: cv2.Laplacian(gray, cv2.CV_32F).var(),
        "detail": partial(quality.detail, gray),
        "blockiness": partial(quality.blockiness, gray),
        "jpeg_quality": partial(quality.jpeg_quality, data),
        "colourfulness": partial(quality.colourfulness, rgb),
        "entropy": partial(quality.entropy, gray),
        "commonest_share": partial(quality.commonest_share, gray),
        "margin": partial(quality.margin, gray, white=True),
        "screen_signs": partial(screen.screen_signs, gray),
        "corner_skin_share": partial(screen.corner_skin_share, rgb),
        "stroke_share (gate of the text detector)": partial(lettering.stroke_share, gray),
        "text detector": partial(finder.find, rgb),
    }
    table = records([data])
    for name in FILTERS[:-1]:
        steps[f"filter {name}"] = partial(default(name), table)
    print(f"one 512 x 512 JPEG, one thread; median ms of processor time of {rounds} rounds (interquartile range)")
    for name, step in steps.items():
        step()
        times = []
        for _ in range(rounds):
            start = time.process_time()
            step()
            times.append(1000 * (time.process_time() - start))
        quarters = statistics.quantiles(times, n=4)
        print(f"{name:<44}{quarters[1]:8.2f} ({quarters[2] - quarters[0]:.2f})")


def print_false_drops(real: dict[str, list[Path]]) -> None:
    """What each filter drops of the pictures as published."""
    print(f"\ndropped of real pictures, default limits\n{'':<22}" + "".join(f"{name[5:]:>16}" for name in FILTERS))
    totals = dict.fromkeys(FILTERS, 0)
    any_drop = count = 0
    for folder, found in real.items():
        table = records(path.read_bytes() for path in found)
        dropped = {name: set(default(name)(table).drops["id"].to_pylist()) for name in FILTERS}
        for name in FILTERS:
            totals[name] += len(dropped[name])
        any_drop += len(set().union(*dropped.values()))
        count += len(found)
        row = "".join(f"{len(dropped[name]):>16}" for name in FILTERS)
        print(f"{folder + ' ' + str(len(found)):<22}{row}")
    print(f"{'all ' + str(count):<22}" + "".join(f"{totals[name]:>16}" for name in FILTERS))
    print(f"dropped by any: {any_drop} of {count} = {100 * any_drop / max(count, 1):.2f} %")


def print_caught(found: list[Path]) -> None:
    """The share of spoilt copies that the filter made for them drops."""
    print(f"\ncaught of {len(found)} pictures spoilt in each way")
    pictures = [Image.open(path).convert("RGB") for path in found]
    for how, (name, spoil) in SPOILT.items():
        table = records(spoil(picture) for picture in pictures)
        start = time.process_time()
        caught = default(name)(table).drops.num_rows
        cost = 1000 * (time.process_time() - start) / len(pictures)
        print(f"{how:<44}{name:<22}{100 * caught / len(pictures):6.1f} %   {cost:8.1f} ms")


def default(name: str) -> Callable[[pa.Table], object]:
    operator = OPERATORS.load(name)
    return operator.build(operator.config())


def records(files: Iterable[bytes]) -> pa.Table:
    rows = [
        {
            "row": n,
            "key": f"k{n}",
            "dataset": "",
            "split": "train",
            "sample_ids": [],
            "media_paths": ["p"],
            "media": [data],
        }
        for n, data in enumerate(files)
    ]
    return pa.Table.from_pylist(rows, schema=RECORDS)


def paths(folder: Path, pattern: str, step: int) -> list[Path]:
    images = (".png", ".jpg", ".jpeg")
    return sorted(path for path in folder.glob(pattern) if path.suffix.lower() in images)[::step]


def drawn() -> Image.Image:
    random = generator(0, "filters")
    coarse = Image.fromarray(random.integers(0, 256, (16, 16, 3)).astype(np.uint8))
    soft = np.asarray(coarse.resize((512, 512), Image.Resampling.BICUBIC)).astype(np.float32)
    return Image.fromarray((soft + random.normal(0, 6, soft.shape)).clip(0, 255).astype(np.uint8))


def jpeg(picture: Image.Image, setting: int) -> bytes:
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=setting)
    return out.getvalue()


def blurred(picture: Image.Image, share: float) -> bytes:
    return jpeg(picture.filter(ImageFilter.GaussianBlur(share * max(picture.size))), 90)


def enlarged(picture: Image.Image, times: int) -> bytes:
    small = picture.resize(tuple(max(side // times, 4) for side in picture.size), Image.Resampling.BOX)
    return jpeg(small.resize(picture.size, Image.Resampling.BICUBIC), 95)


def png_of_jpeg(picture: Image.Image, setting: int) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(jpeg(picture, setting))).save(out, "PNG")
    return out.getvalue()


def framed(picture: Image.Image, colour: str) -> bytes:
    width, height = picture.size
    page = Image.new("RGB", (2 * width, 2 * height), colour)
    page.paste(picture, (width // 2, height // 3))
    return jpeg(page, 90)


def written(picture: Image.Image, share: float, count: int) -> bytes:
    """`count` words in letters of `share` of the height, white with a black outline."""
    picture = picture.copy()
    draw, size = ImageDraw.Draw(picture), max(round(share * picture.height), 10)
    font = ImageFont.load_default(size)
    words = generator(0, "written", *picture.size).choice(WORDS.split(), count).tolist()
    x, y = 4, picture.height // 10
    for word in words:
        length = draw.textlength(word + " ", font=font)
        if x + length > picture.width:
            x, y = 4, y + round(1.3 * size)
        draw.text((x, y), word, font=font, fill="white", stroke_width=1, stroke_fill="black")
        x += length
    return jpeg(picture, 90)


def viewer(picture: Image.Image, dark: bool) -> bytes:
    """The picture in a window with a title bar, a tool bar with buttons, a list at its left and a status bar."""
    ground, bar, ink = (
        ((40, 40, 44), (70, 72, 80), (230, 230, 230)) if dark else ((240,) * 3, (200, 210, 225), (20,) * 3)
    )
    window = Image.new("RGB", (1280, 800), ground)
    draw, font = ImageDraw.Draw(window), ImageFont.load_default(14)
    draw.rectangle((0, 0, 1280, 28), fill=bar)
    draw.rectangle((0, 772, 1280, 800), fill=bar)
    draw.text((10, 6), "Viewer - Study 12 - File  Edit  View  Tools  Window  Help", font=font, fill=ink)
    for n in range(14):
        draw.rectangle((8 + 40 * n, 34, 40 + 40 * n, 62), outline=ink)
    draw.line((0, 68, 1280, 68), fill=ink)
    draw.line((240, 68, 240, 772), fill=ink)
    for n in range(20):
        draw.text((12, 80 + 30 * n), f"Series {n}: axial 5 mm", font=font, fill=ink)
    window.paste(picture.resize((1000, 680)), (260, 80))
    return jpeg(window, 92)


def narrated(picture: Image.Image) -> bytes:
    """A face and shoulders in the bottom right corner."""
    gray = picture.convert("L").convert("RGB").resize((960, 720))
    draw = ImageDraw.Draw(gray)
    draw.rectangle((680, 440, 960, 720), fill=(60, 70, 90))
    draw.ellipse((750, 460, 890, 650), fill=(214, 164, 138))
    draw.rectangle((720, 650, 930, 720), fill=(205, 155, 130))
    return jpeg(gray, 90)


def flat(picture: Image.Image) -> bytes:
    page = Image.new("L", picture.size, 230)
    page.paste(picture.convert("L").resize((picture.width // 5, picture.height // 5)), (10, 10))
    return jpeg(page, 90)


SPOILT: dict[str, tuple[str, Callable[[Image.Image], bytes]]] = {
    "thumbnail of 96 px": ("drop_small_image", lambda p: jpeg(p.resize((96, 96)), 90)),
    "strip of 8 to 1": ("drop_extreme_aspect", lambda p: jpeg(p.resize((1024, 128)), 90)),
    "on a white page of four times its area": ("drop_borders", partial(framed, colour="white")),
    "on a black page of four times its area": ("drop_borders", partial(framed, colour="black")),
    "blurred, sigma 0.5 % of the longer side": ("drop_blurred", partial(blurred, share=0.005)),
    "blurred, sigma 1 %": ("drop_blurred", partial(blurred, share=0.01)),
    "blurred, sigma 2 %": ("drop_blurred", partial(blurred, share=0.02)),
    "enlarged 2 times": ("drop_blurred", partial(enlarged, times=2)),
    "enlarged 4 times": ("drop_blurred", partial(enlarged, times=4)),
    "enlarged 8 times": ("drop_blurred", partial(enlarged, times=8)),
    "JPEG of quality 15": ("drop_compressed", partial(jpeg, setting=15)),
    "PNG of a JPEG of quality 20": ("drop_compressed", partial(png_of_jpeg, setting=20)),
    "PNG of a JPEG of quality 10": ("drop_compressed", partial(png_of_jpeg, setting=10)),
    "PNG of a JPEG of quality 5": ("drop_compressed", partial(png_of_jpeg, setting=5)),
    "small on an even page": ("drop_flat", flat),
    "40 words, letters of 4 % of the height": ("drop_overlaid_text", partial(written, share=0.04, count=40)),
    "12 words, letters of 10 %": ("drop_overlaid_text", partial(written, share=0.1, count=12)),
    "light viewer window": ("drop_screenshot", partial(viewer, dark=False)),
    "dark viewer window": ("drop_screenshot", partial(viewer, dark=True)),
    "narrator in a corner": ("drop_narrator", narrated),
}


if __name__ == "__main__":
    main()

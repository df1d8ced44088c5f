"""Leak recall: how many copies of evaluation images are found, by what was done to the copy, and how many others are.

Two sets, each on its own: drawn chest films of different patients, all of one view and one style, which is the hardest
case; and the real radiographs, CT and MR pictures of VQA-RAD and the COVID collection where OSLER_TEST_DATA holds them.
Each image goes into an evaluation index, is copied, changed, written as a JPEG, and looked for as training data is. A
false pair is an image taken for a copy of another one; all ordered pairs of the set are counted, and images of the
real set that are one picture by themselves are named. The thresholds were chosen on other drawn seeds.

    python benchmarks/leak_recall.py [--images 320] [--copies 60] [--seed 101]
"""

import argparse
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from osler.core.rng import generator
from osler.core.settings import read_settings
from osler.curate.duplicates.evaluation_index import EvaluationIndex, build_index
from osler.curate.duplicates.hamming import HashIndex, stacked
from osler.media.hashing import dhash256
from osler.media.image import open_picture
from osler.media.window import apply_window
from osler.schema.sample import Provenance, Sample, closed, image, user
from osler.synth.phantom.film import draw_film
from osler.synth.phantom.patient import make_patient

IMAGE_PX = 512
REAL = ("vqa_rad", "covid_chestxray")
Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def main() -> None:
    arguments = _arguments()
    sets = {"drawn films": list(drawn(arguments.images, arguments.seed))}
    real = list(real_images(read_settings().test_data))
    if real:
        sets["real images"] = real
    for name, pictures in sets.items():
        report(name, pictures, arguments.copies, arguments.seed)


def report(name: str, pictures: list[Image.Image], num_copies: int, seed: int) -> None:
    """Print the recall of each change, on the first `num_copies`, and the false pairs of the whole set."""
    files = [encoded(picture, 90) for picture in pictures]
    start = time.process_time()
    index = indexed(files)
    build_ms = 1e3 * (time.process_time() - start) / len(files)
    needed = index.images[0].needed
    print(
        f"\n{name}: {len(files)} images, {build_ms:.0f} CPU ms each to index, likeness needed {needed:.3f}", flush=True
    )
    print(f"{'copy':<20}{'found':>8}{'of':>6}{'recall':>9}{'doubtful':>10}")
    few = EvaluationIndex([], index.images[:num_copies])
    for change_name, change in CHANGES.items():
        random = generator(seed, "leak_recall", name, change_name)
        copies = [encoded(change(picture, random), 90) for picture in pictures[:num_copies]]
        sure, doubtful = found(few, copies)
        hits, maybe = (sum((row, row) in pairs for row in range(len(copies))) for pairs in (sure, doubtful))
        print(f"{change_name:<20}{hits:>8}{len(copies):>6}{hits / len(copies):>9.3f}{maybe:>10}", flush=True)
    start = time.process_time()
    hashes = stacked([dhash256(data) for data in files])
    hash_ms = 1e3 * (time.process_time() - start) / len(files)
    near = close_pairs(index, hashes, 40)
    start = time.process_time()
    sure, doubtful = found(index, files)
    search_ms = 1e3 * (time.process_time() - start) / len(files) - hash_ms
    wrong = sorted(pair for pair in sure if pair[0] != pair[1])
    num_pairs = len(files) * (len(files) - 1)
    print(f"by hash alone, at most 40 of 256 bits: {near} of {num_pairs} other pairs, {near / num_pairs:.1e}")
    print(
        f"false pairs: {len(wrong)} of {num_pairs}, {len(wrong) / num_pairs:.1e}; in doubt: {len(doubtful)}; "
        f"{wrong[:20]}"
    )
    print(
        f"a training image: {hash_ms:.2f} CPU ms to decode and hash, {search_ms:.1f} to search and compare", flush=True
    )


def indexed(files: list[bytes]) -> EvaluationIndex:
    """An evaluation index with one item a file."""
    return build_index(zip(map(_sample, range(len(files))), ([data] for data in files), strict=True))


def close_pairs(index: EvaluationIndex, codes: np.ndarray, radius: int) -> int:
    """How many images have a hash near to a variant of another image."""
    owner = np.repeat(np.arange(len(index.images)), [len(image.codes) for image in index.images])
    search = HashIndex(np.concatenate([image.codes for image in index.images]))
    pairs = (
        zip(rows.tolist(), owner[numbers].tolist(), strict=True) for rows, numbers, _ in search.near(codes, radius)
    )
    return len({(row, other) for some in pairs for row, other in some if row != other})


def found(index: EvaluationIndex, files: list[bytes]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Pairs of a file and an image of the index that are taken for copies, and those left to a person."""
    codes = stacked([dhash256(data) for data in files])
    matches = list(index.by_image(codes, lambda row: (files[row], None)))
    return tuple({(m.row, m.image) for m in matches if m.is_doubtful is doubt} for doubt in (False, True))


def drawn(num: int, seed: int) -> Iterator[Image.Image]:
    """The first film of each of so many patients, as shown."""
    for number in range(num):
        patient = make_patient(seed, number)
        film = draw_film(seed, patient, patient.visits[0], image_px=IMAGE_PX)
        yield Image.fromarray(apply_window(film.pixels, film.window))


def real_images(folder: Path) -> Iterator[Image.Image]:
    """Real pictures in gray."""
    for name in REAL:
        for path in sorted((folder / name).rglob("*.[jp][pn]*g")):
            yield open_picture(path.read_bytes()).convert("L")


def encoded(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def jpeg20(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    return Image.open(io.BytesIO(encoded(picture, 20)))


def resize25(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    return picture.resize((picture.width // 4, picture.height // 4), Image.Resampling.BICUBIC)


def gray(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """The copy is in colour, tinted as prints are."""
    return Image.merge("RGB", [picture.point(lambda v, k=k: int(v * k)) for k in (1.0, 0.95, 0.85)])


def overlay(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """A label and an arrow."""
    copy = picture.copy()
    draw = ImageDraw.Draw(copy)
    width, height = copy.size
    place = (random.uniform(0.02, 0.6) * width, random.uniform(0.02, 0.9) * height)
    draw.text(place, "Figure 2B", fill=255, font_size=max(10, width // 16))
    x, y = random.uniform(0.2, 0.8) * width, random.uniform(0.2, 0.8) * height
    draw.line([(x, y), (x - 0.1 * width, y - 0.1 * height)], fill=255, width=max(2, width // 100))
    draw.polygon([(x, y), (x - 0.04 * width, y - 0.01 * height), (x - 0.01 * width, y - 0.04 * height)], fill=255)
    return copy


def padded(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """A black or white margin of 3 to 20 % at each side."""
    left, right, top, bottom = random.uniform(0.03, 0.2, 4)
    width, height = picture.size
    size = (round(width * (1 + left + right)), round(height * (1 + top + bottom)))
    out = Image.new("L", size, int(random.choice([0, 255])))
    out.paste(picture, (round(left * width), round(top * height)))
    return out


def mirrored(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def quarter(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return picture.transpose(turns[random.integers(3)])


def turned(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """By up to 5 degrees; the corners are black."""
    return picture.rotate(random.uniform(-5, 5), Image.Resampling.BICUBIC)


def centre(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    share = random.uniform(0.02, 0.15)
    return _cropped(picture, (share / 2, share / 2, share / 2, share / 2))


def one_side(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    cuts = [0.0] * 4
    cuts[random.integers(4)] = random.uniform(0.02, 0.15)
    return _cropped(picture, tuple(cuts))


def corner(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    cuts = [0.0] * 4
    cuts[random.choice([0, 2])], cuts[random.choice([1, 3])] = random.uniform(0.02, 0.15, 2)
    return _cropped(picture, tuple(cuts))


def corner_15(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    cuts = [0.0] * 4
    cuts[random.choice([0, 2])] = cuts[random.choice([1, 3])] = 0.15
    return _cropped(picture, tuple(cuts))


def anywhere(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Up to 15 % of width and of height, split at random between the two sides."""
    (across, down), (left, top) = random.uniform(0.02, 0.15, 2), random.uniform(0, 1, 2)
    return _cropped(picture, (across * left, down * top, across * (1 - left), down * (1 - top)))


def together(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Cropped off centre, half the size, JPEG quality 60."""
    part = anywhere(picture, random)
    return Image.open(io.BytesIO(encoded(part.resize((part.width // 2, part.height // 2)), 60)))


def _cropped(picture: Image.Image, cuts: tuple[float, ...]) -> Image.Image:
    """Without these shares of the left, the top, the right and the bottom."""
    left, top, right, bottom = cuts
    width, height = picture.size
    return picture.crop(
        (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    )


CHANGES: dict[str, Change] = {
    "jpeg quality 20": jpeg20,
    "resized to 25 %": resize25,
    "tinted": gray,
    "label and arrow": overlay,
    "padded": padded,
    "mirrored": mirrored,
    "quarter turn": quarter,
    "turned <= 5 deg": turned,
    "centre crop": centre,
    "one side cropped": one_side,
    "corner cropped": corner,
    "corner, 15 %": corner_15,
    "cropped anywhere": anywhere,
    "crop, half, jpeg 60": together,
}


def _sample(number: int) -> Sample:
    return Sample(
        id=f"set/test/{number}",
        turns=(user(image(f"{number}.jpg"), "Is there a fracture?"),),
        answer=closed("no"),
        provenance=Provenance(dataset="set", record_id=str(number), licence="CC0-1.0"),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--copies", type=int, default=60)
    parser.add_argument("--seed", type=int, default=101)
    return parser.parse_args()


if __name__ == "__main__":
    main()

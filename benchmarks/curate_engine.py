"""Curation of 20,000 drawn JPEGs with planted near-duplicates: this engine against datatrove and Ray Data.

Every engine reads the same files and captions, puts each image through the same kernel (decode, drop what is too small,
resize to 384 px, JPEG of quality 90, dHash256, Unicode NFKC, MinHash of 128), drops near duplicates over the whole set
by the same rule (near hashes, nearly the same words, pixels that agree), and writes what is left, with two workers:

    osler      one `osler curate`: `drop_near_duplicate`, which hashes the files whose words may be another's, then the
               rest of the kernel on what is left
    datatrove  its local executor: kernel to Parquet; near duplicates; Parquet without them (0.10.1)
    ray        Ray Data on this machine: the same three steps (2.60.0)

The peers hash every picture, since their kernel knows one row at a time; ours asks the words of the whole set first,
and reads the files that it hashes twice. CPU is that of all processes of an engine, PSS the sum over them at its
highest. A peer that is not installed is left out.

    python benchmarks/curate_engine.py [--images 20000] [--only osler] [--keep DIR]
"""

import argparse
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from osler.core.rng import generator
from osler.curate.drops import drop, drops_table
from osler.curate.operator import Kept, NoOptions, Operator
from osler.datasets.dataset import Dataset
from osler.datasets.read import jsonl
from osler.schema.sample import Sample, image, passage, user

PX, SMALL_PX, MIN_PX = 512, 384, 64
SHARD, PLANTED = 500, 0.1
NUM_WORKERS = 2
WORDS = [f"word{number}" for number in range(500)]
ENGINES = ("osler", "datatrove", "ray")

DATASET = Dataset(
    licence="CC0-1.0", access="open", modality="x-ray", group_key="", id_key="id", contiguous=True,
    splits={"train": None}, rows=jsonl("captions.jsonl"),
    to_sample=lambda row: Sample(turns=(user(image(row["file"]), "Describe."),), answer=passage(row["caption"])),
)  # fmt: skip


def kernel(data: bytes, caption: str) -> tuple[bytes, bytes, list[int]] | None:
    """The smaller JPEG, its hashes and the MinHash of its caption; None where the image is too small."""
    picture = decoded(data)
    if picture is None:
        return None
    return encoded(smaller(picture)), hashed(picture), signature(caption)


def decoded(data: bytes) -> Image.Image | None:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    return picture if min(picture.size) >= MIN_PX else None


def smaller(picture: Image.Image) -> Image.Image:
    return picture.resize((SMALL_PX, SMALL_PX), Image.Resampling.BILINEAR)


def hashed(picture: Image.Image) -> bytes:
    from osler.media.hashing import HASH_PX, gray_border_hashes

    return gray_border_hashes(np.asarray(picture.convert("L").reduce(PX // HASH_PX)))


def encoded(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=90)
    return out.getvalue()


def signature(caption: str) -> list[int]:
    from rensa import RMinHash

    from osler.curate.duplicates.words import shingles, words

    hasher = RMinHash(num_perm=128, seed=1)
    hasher.update(sorted(shingles(words(caption))))
    return list(hasher.digest())


def apply_kernel(table: pa.Table) -> Kept:
    rows, drops = [], []
    for row in table.to_pylist():
        signature(json.loads(row["samples"][0])["answer"]["text"])
        picture = decoded(row["media"][0])
        if picture is None:
            drops.append(drop(row["key"], "kernel", "too small"))
        else:
            rows.append({**row, "media": [encoded(smaller(picture))]})
    return Kept(pa.Table.from_pylist(rows, schema=table.schema), drops_table(drops))


OPERATOR = Operator(config=NoOptions, build=lambda config: apply_kernel, level="rewrite")


def run_osler(root: Path, out: Path) -> Iterator[str]:
    """Yield the ids that are left."""
    from osler.core.log import Log
    from osler.curate.run import parse, run
    from osler.store.reader import Store

    name = "curate_engine"
    recipe = {
        "datasets": [{"name": f"benchmarks.{name}", "root": str(root)}],
        "shard_records": SHARD, "num_workers": NUM_WORKERS,
        "operators": [{"drop_near_duplicate": {"num_workers": NUM_WORKERS}}, f"benchmarks.{name}"],
    }  # fmt: skip
    run(parse(recipe), out, device="cpu", log=Log(quiet=True))
    for id in Store(out).table("train")["sample_id"].to_pylist():
        yield id.rpartition("/")[2]


def run_datatrove(root: Path, out: Path) -> Iterator[str]:
    from datatrove.data import Document
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader, ParquetReader
    from datatrove.pipeline.writers import ParquetWriter
    from loguru import logger

    logger.remove()

    def with_kernel(data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        from benchmarks.curate_engine import kernel

        for document in data:
            made = kernel((root / document.metadata["file"]).read_bytes(), document.text)
            if made is not None:
                yield Document(
                    document.text,
                    document.id,
                    metadata={"file": document.metadata["file"]}
                    | dict(zip(("jpeg", "dhash", "minhash"), made, strict=True)),
                )

    def flat(self: Any, document: Any) -> dict[str, Any]:
        return {"text": document.text, "id": document.id, **document.metadata}

    def left(data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        gone = set((out / "gone.txt").read_text().split())
        yield from (document for document in data if document.id not in gone)

    tasks = len(list((root / "parts").glob("*.jsonl")))
    read = JsonlReader(str(root / "parts"), text_key="caption", add_file_path=False)
    first = [read, with_kernel, ParquetWriter(str(out / "made"), adapter=flat, batch_size=SHARD)]
    LocalPipelineExecutor(first, tasks=tasks, workers=NUM_WORKERS, logging_dir=str(out / "log1")).run()
    write_gone(root, out, sorted((out / "made").glob("*.parquet")))
    again = ParquetReader(str(out / "made"), batch_size=SHARD)
    second = [again, left, ParquetWriter(str(out / "left"), adapter=flat, batch_size=SHARD)]
    LocalPipelineExecutor(second, tasks=tasks, workers=NUM_WORKERS, logging_dir=str(out / "log2")).run()
    for path in sorted((out / "left").glob("*.parquet")):
        yield from pq.read_table(path, columns=["id"])["id"].to_pylist()


def run_ray(root: Path, out: Path) -> Iterator[str]:
    import ray

    ray.init(num_cpus=NUM_WORKERS, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False

    def with_kernel(rows: dict[str, Any]) -> dict[str, Any]:
        from benchmarks.curate_engine import kernel

        made = [
            kernel((root / file).read_bytes(), text) for file, text in zip(rows["file"], rows["caption"], strict=True)
        ]
        kept = [n for n, each in enumerate(made) if each is not None]
        columns = {name: [made[n][k] for n in kept] for k, name in enumerate(("jpeg", "dhash", "minhash"))}
        return {"id": rows["id"][kept], "file": rows["file"][kept], "text": rows["caption"][kept], **columns}

    parts = len(list((root / "parts").glob("*.jsonl")))
    data = ray.data.read_json(str(root / "parts"), lines=True, override_num_blocks=parts)
    data.map_batches(with_kernel, batch_size=SHARD).write_parquet(str(out / "made"))
    write_gone(root, out, sorted((out / "made").glob("*.parquet")))
    gone = set((out / "gone.txt").read_text().split())
    ray.data.read_parquet(str(out / "made")).filter(lambda row: row["id"] not in gone).write_parquet(str(out / "left"))
    for path in sorted((out / "left").glob("*.parquet")):
        yield from pq.read_table(path, columns=["id"])["id"].to_pylist()
    ray.shutdown()


def write_gone(root: Path, out: Path, parts: list[Path]) -> None:
    """The ids of near duplicates by our rule, for the peers."""
    from osler.curate.duplicates.files import forms_at, place_name
    from osler.curate.duplicates.near import Entry, near_duplicates

    tables = (pq.read_table(path, columns=["id", "file", "text", "dhash"]) for path in parts)
    rows = pa.concat_tables(tables).sort_by("id").to_pylist()
    entries = [
        Entry(row["id"], (place_name((str(root), row["file"])),), (row["dhash"],), (row["text"],), "train")
        for row in rows
    ]
    (out / "gone.txt").write_text("\n".join(entries[each.row].id for each in near_duplicates(entries, forms_at)))


RUN: dict[str, Callable[[Path, Path], Iterator[str]]] = {
    "osler": run_osler, "datatrove": run_datatrove, "ray": run_ray,
}  # fmt: skip


def draw(root: Path, num: int) -> set[str]:
    """Draw images, captions and planted near-duplicates below `root`; returns the ids of the planted."""
    (root / "images").mkdir(parents=True)
    (root / "parts").mkdir()
    noise = generator(0, "curate_engine").normal(0, 14, (2 * PX, 2 * PX, 3)).astype(np.float32)
    rows: list[dict[str, str]] = []
    planted: set[str] = set()
    for number in range(num):
        random = generator(0, "curate_engine", number)
        id, file = f"image-{number:06d}", f"images/{number:06d}.jpg"
        if rows and random.random() < PLANTED:
            origin = rows[int(random.integers(len(rows)))]
            if origin["id"] not in planted:
                copy_of(root / origin["file"], root / file, random)
                words = origin["caption"].split()
                if random.random() < 0.5:
                    words[int(random.integers(len(words)))] = "other"
                rows.append({"id": id, "file": file, "caption": " ".join(words)})
                planted.add(id)
                continue
        draw_image(root / file, random, noise)
        caption = " ".join(WORDS[k] for k in random.integers(len(WORDS), size=int(random.integers(25, 90))))
        rows.append({"id": id, "file": file, "caption": caption})
    write_rows(root / "captions.jsonl", rows)
    for start in range(0, num, SHARD):
        write_rows(root / "parts" / f"{start // SHARD:04d}.jsonl", rows[start : start + SHARD])
    return planted


def draw_image(path: Path, random: np.random.Generator, noise: np.ndarray) -> None:
    coarse = Image.fromarray(random.integers(0, 256, (10, 10, 3), dtype=np.uint8))
    top, left = random.integers(0, PX, 2)
    pixels = np.asarray(coarse.resize((PX, PX), Image.Resampling.BICUBIC)) + noise[top : top + PX, left : left + PX]
    picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y, size = (int(value) for value in random.integers(0, PX, 3))
        pen.ellipse((x, y, x + size // 4, y + size // 6), outline=tuple(random.integers(0, 256, 3).tolist()), width=3)
    picture.save(path, quality=75)


def copy_of(source: Path, path: Path, random: np.random.Generator) -> None:
    picture = Image.open(source)
    kind = int(random.integers(4))
    if kind == 0:
        picture = picture.resize((PX * 3 // 4, PX * 3 // 4), Image.Resampling.BILINEAR)
    elif kind == 1:
        picture = picture.convert("L")
    elif kind == 2:
        ImageDraw.Draw(picture).text((20, 20), "R  SUPINE", fill="white")
    picture.save(path, quality=35 if kind == 3 else 80)


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps({"split": "train", **row}) + "\n" for row in rows))


def measure(engine: str, root: Path) -> dict[str, Any]:
    """Run an engine in a process of its own; its CPU seconds, highest PSS in MB and what it left."""
    with tempfile.TemporaryDirectory(dir=root.parent) as out:
        arguments = ["--engine", engine, "--root", str(root), "--out", out]
        command = [sys.executable, "-m", "benchmarks.curate_engine", *arguments]
        folder = Path(__file__).resolve().parents[1]
        said = Path(out).with_suffix(".log")
        with said.open("w") as file:
            process = subprocess.Popen(command, cwd=folder, stdout=file, stderr=file)
        cpu_s: dict[int, float] = {}
        peak = most = 0
        while process.poll() is None:
            pids = descendants(process.pid)
            cpu_s |= {pid: seconds for pid in pids if (seconds := cpu_of(pid)) is not None}
            pss = sum(map(pss_of, pids))
            peak, most = max(peak, pss), max(most, len(pids))
            time.sleep(0.5)
        if process.returncode:
            raise SystemExit(f"{engine} failed:\n{said.read_text()[-4000:]}")
        ids = set((Path(out) / "ids.txt").read_text().split())
        return {"cpu_s": sum(cpu_s.values()), "pss_mb": peak / 2**20, "processes": most, "ids": ids}


def descendants(root: int) -> list[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cpu_of(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss_of(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(text.partition("\nPss:")[2].split()[0]) * 1024 if "\nPss:" in text else 0


def stages(root: Path) -> None:
    """Print the CPU ms an image that each step of the kernel and of the first hashing takes."""
    from osler.media.hashing import border_hashes

    rows = [json.loads(line) for line in (root / "captions.jsonl").read_text().splitlines()[:300]]
    files = [(root / row["file"]).read_bytes() for row in rows]
    pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data in files]
    small = list(map(smaller, pictures))
    steps: dict[str, Callable[[int], object]] = {
        "hash of a file": lambda n: border_hashes(files[n]),
        "decode": lambda n: Image.open(io.BytesIO(files[n])).convert("RGB"),
        "resize": lambda n: smaller(pictures[n]),
        "encode": lambda n: encoded(small[n]),
        "hash of a picture": lambda n: hashed(pictures[n]),
        "minhash": lambda n: signature(rows[n]["caption"]),
    }
    cells = []
    for name, step in steps.items():
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            for number in range(len(files)):
                step(number)
            best = min(best, time.process_time() - start)
        cells.append(f"{name} {1000 * best / len(files):.2f}")
    print(f"CPU ms an image: {', '.join(cells)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--only", choices=ENGINES, action="append")
    parser.add_argument("--keep", type=Path, help="draw the images here, or use those that are here")
    for name, kind in (("--engine", str), ("--root", Path), ("--out", Path)):
        parser.add_argument(name, type=kind, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.engine:
        (asked.out / "ids.txt").write_text("\n".join(RUN[asked.engine](asked.root, asked.out)))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = (asked.keep or Path(folder)) / "set"
        if not (root / "planted.json").is_file():
            planted = draw(root, asked.images)
            (root / "planted.json").write_text(json.dumps(sorted(planted)))
        compare(root, asked.only or ENGINES)


def compare(root: Path, engines: Any) -> None:
    planted = set(json.loads((root / "planted.json").read_text()))
    ids = {json.loads(line)["id"] for line in (root / "captions.jsonl").read_text().splitlines()}
    stages(root)
    print(f"{len(ids):,} images, {len(planted):,} planted; {NUM_WORKERS} workers")
    heads = ("CPU s", "ms/img", "ours/it", "PSS MB", "it/ours", "procs", "found", "lost")
    print(f"{'engine':<10}" + "".join(f"{head:>9}" for head in heads))
    ours: dict[str, Any] = {}
    for engine in engines:
        if engine != "osler" and importlib.util.find_spec(engine) is None:
            print(f"{engine:<10}peer not installed")
            continue
        got = measure(engine, root)
        ours = ours or got
        found, lost = 1 - len(planted & got["ids"]) / max(1, len(planted)), len(ids - planted - got["ids"])
        cells = (
            f"{got['cpu_s']:.1f}", f"{1000 * got['cpu_s'] / len(ids):.2f}", f"{ours['cpu_s'] / got['cpu_s']:.2f}",
            f"{got['pss_mb']:.0f}", f"{got['pss_mb'] / ours['pss_mb']:.1f}", got["processes"], f"{found:.2%}", lost,
        )  # fmt: skip
        print(f"{engine:<10}" + "".join(f"{cell:>9}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()

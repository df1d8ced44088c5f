"""A drawn set in the layout of VQA-RAD, and a server that runs `osler curate` on it in a forked process each time."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from osler.cli.outfolder import output_files
from osler.core.files import sha256_file
from osler.core.rng import generator
from osler.media.image import encode_png8

# Forked for each attempt, so that imports are paid for once.
SERVER = """
import os, sys
from osler.cli.main import main
from osler.curate import run
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        code = main(["curate", *line.split(), "--quiet"])
        sys.stderr.flush()
        os._exit(code)
    print(child, flush=True)
    sys.stdin.readline()  # until it is asked for, so that the id stays the child's
    print(os.waitpid(child, 0)[1], flush=True)
"""
# A cluster of its own, which outlives the commands that use it and ends with its input.
CLUSTER = """
import logging, sys, ray
started = ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
                   object_store_memory=100 * 2**20, logging_level=logging.ERROR)
print(started.address_info["address"], flush=True)
sys.stdin.read()
"""


def draw_set(folder: Path, *, num_images: int, px: int = 160) -> dict[str, Any]:
    """Draw pictures and questions below `folder`, some broken, missing or asked twice; returns a recipe."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(num_images):
        name = f"synpic{number}.jpg"
        data = encode_png8(generator(0, "drawn_set", number).integers(0, 256, (px, px)).astype("uint8"), level=1)
        if number % 11 != 3:
            (folder / "images" / name).write_bytes(data[:-40] if number % 13 == 5 else data)
        for question in range(2):
            asked = f"Is {number} plus {question if number % 7 else 0} even?" if number % 17 or question else ""
            rows.append(
                {
                    **{"qid": f"{number}-{question}", "image_name": name, "question": asked, "answer": "yes"},
                    **{
                        "answer_type": "CLOSED",
                        "question_type": "ABN",
                        "image_organ": "CHEST",
                        "phrase_type": "freeform",
                    },
                }
            )
    (folder / "trainset.json").write_text(json.dumps(rows))
    (folder / "testset.json").write_text(json.dumps(rows[:2]))
    operators = ["drop_duplicate_sample", "drop_missing_image", "drop_broken_image", "drop_empty_text"]
    datasets = [{"name": "vqa_rad", "root": str(folder), "splits": ["train"]}]
    return {"datasets": datasets, "shard_records": 4, "operators": operators, "seed": 3, "shuffle_records": True}


def save(path: Path, recipe: dict[str, Any]) -> None:
    """Write a recipe."""
    path.write_text(yaml.safe_dump(recipe))


def outputs(out: Path) -> dict[str, str]:
    """The SHA-256 of every file that a command wrote, by its place."""
    return {path.relative_to(out).as_posix(): sha256_file(path) for path in output_files(out)}


class Server:
    """Starts `osler curate` again and again."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self, *words: str) -> int:
        """Start the command; returns its process id."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(*words, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def ended(self) -> int:
        """Wait for the command's end; returns its wait status."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def run(self, *words: str) -> int:
        """Run the command to its end; returns its exit code."""
        self.start(*words)
        return os.waitstatus_to_exitcode(self.ended())


@contextmanager
def server(folder: Path, **environment: str) -> Iterator[Server]:
    """A server that works in `folder`."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    ) as process:  # fmt: skip
        yield Server(process)
        assert process.stdin is not None
        process.stdin.close()


@contextmanager
def ray_cluster(token: dict[str, str]) -> Iterator[str]:
    """The address of a Ray cluster on this machine; `token` is the environment that lets a command in."""
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, **token},
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()

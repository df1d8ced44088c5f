"""Kill a story with SIGKILL at random moments, run it to its end, and compare its results with an unkilled run's.

    python tests/e2e/kill_demo.py --chain tiny --kills 10 --seed 0 --work out/kill
    python tests/e2e/kill_demo.py --chain demo --kills 10 --seed 0 --work out/kill --reference out/tiny --seconds 900

Exits 0 where `eval/results.json` is the same byte for byte, else 1.
"""

import argparse
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from chain import demo_commands, tiny_commands

CHAINS = {"tiny": (tiny_commands, "out/e2e"), "demo": (demo_commands, "out/tiny")}
RESULT = "eval/results.json"


def main() -> int:
    """Run the reference unless it is given, then the killed run, then compare."""
    asked = _arguments()
    commands, folder = CHAINS[asked.chain]
    script = "set -e\n" + "\n".join(shlex.join(command) for command in commands().values())
    asked.work.mkdir(parents=True, exist_ok=True)
    if asked.reference:
        reference, seconds = asked.reference / RESULT, asked.seconds
    else:
        reference = _fresh(asked.work / "reference") / folder / RESULT
        seconds = _run(script, asked.work / "reference")
        print(f"reference: {seconds:.0f} s")
    killed = _fresh(asked.work / "killed")
    num_kills = _kill_often(script, killed, kills=asked.kills, seconds=seconds, seed=asked.seed)
    _run(script, killed)
    same = reference.read_bytes() == (killed / folder / RESULT).read_bytes()
    print(f"{num_kills} kills of {asked.kills}: {RESULT} is {'the same' if same else 'NOT the same'}")
    return 0 if same and num_kills == asked.kills else 1


def _kill_often(script: str, folder: Path, *, kills: int, seconds: float, seed: int) -> int:
    """Start the story `kills` times and kill it each time; returns how many kills met it running."""
    random.seed(seed)
    for number in range(kills):
        process = _start(script, folder)
        wait_s = random.uniform(0.1, 1.9) * seconds / (kills + 1)
        try:
            process.wait(timeout=wait_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            print(f"kill {number + 1} after {wait_s:.1f} s; begun so far: {_begun(folder)}", flush=True)
            continue
        if process.returncode != 0:
            sys.exit(f"the story failed after {number} kills; see {folder / 'log.txt'}")
        return number
    return kills


def _run(script: str, folder: Path) -> float:
    start = time.monotonic()
    if _start(script, folder).wait() != 0:
        sys.exit(f"the story failed; see {folder / 'log.txt'}")
    return time.monotonic() - start


def _start(script: str, folder: Path) -> subprocess.Popen:
    """The story in a process group of its own, so that a kill meets every process of it."""
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen(
            ["bash", "-c", script], cwd=folder, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "2"},
        )  # fmt: skip


def _begun(folder: Path) -> str:
    done = {path.parent.name: (path.parent / "manifest.json").is_file() for path in folder.rglob("started.json")}
    return ", ".join(f"{name}{'' if finished else ' (cut)'}" for name, finished in sorted(done.items())) or "nothing"


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chain", choices=CHAINS, default="tiny")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, required=True, help="a folder that is emptied and filled")
    parser.add_argument("--reference", type=Path, help="the out folder of an unkilled run; made where left out")
    parser.add_argument("--seconds", type=float, help="how long the unkilled run took; needed with --reference")
    asked = parser.parse_args()
    if asked.reference and not asked.seconds:
        parser.error("--reference needs --seconds")
    asked.work = asked.work.resolve()
    return asked


if __name__ == "__main__":
    sys.exit(main())

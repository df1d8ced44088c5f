"""100,000 predictions to scores on one core: reading, extraction, intervals, baselines, bootstrap and permutations.

One file of predictions is scored as `osler score` does it, by exact match, token F1 and three forms of BLEU-1. That of
the corpus has a bootstrap of 1,000 draws for its value, each baseline and each difference, and 9,999 permutations for
each p.

    python benchmarks/score_bootstrap.py [--num 100000] [--per-cluster 10] [--coverage 0]

`--coverage 2000` instead simulates so many test sets and counts how often 95 % intervals hold the truth.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from osler.core.files import read_json
from osler.core.log import Log
from osler.core.rng import generator
from osler.evaluation import score
from osler.schema.prediction import Prediction
from osler.schema.sample import open_answer
from osler.scoring.intervals import interval, naive_se, wilson

WORDS = [
    "left",
    "right",
    "lung",
    "heart",
    "effusion",
    "nodule",
    "opacity",
    "small",
    "large",
    "upper",
    "lower",
    "lobe",
    "normal",
    "none",
]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time of scoring, or coverage of intervals.")
    parser.add_argument("--num", type=int, default=100_000)
    parser.add_argument("--per-cluster", type=int, default=10)
    parser.add_argument("--coverage", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.coverage:
        print_coverage(arguments.coverage)
        return
    with tempfile.TemporaryDirectory() as folder:
        print_time(Path(folder), arguments.num, arguments.per_cluster)


def print_time(folder: Path, num: int, per_cluster: int) -> None:
    write_predictions(folder / "predictions.jsonl", num, per_cluster)
    metrics = ["exact_match", "token_f1", "bleu1/coco-corpus"]
    config = score.parse({"predictions": str(folder / "predictions.jsonl"), "metrics": metrics})
    start, cpu = time.perf_counter(), time.process_time()
    score.run(config, folder / "scores", device="cpu", log=Log(quiet=True))
    print(
        f"{num} predictions: {time.process_time() - cpu:.1f} s of processor time, {time.perf_counter() - start:.1f} s"
    )
    for row in read_json(folder / "scores" / "results.json"):
        print(f"  {row['metric']}: {row['value']:.4f} [{row['ci_low']:.4f}, {row['ci_high']:.4f}] {row['ci_method']}")
        for name, found in row["baseline"].items():
            paired = found["paired"]
            print(f"    - {name}: {paired['value']:+.4f} p {paired['p']:.2g} {paired['test']}")


def write_predictions(path: Path, num: int, per_cluster: int) -> None:
    """Half under `image`, a quarter each under `blind` and `shuffled`: short answers, of which some are right."""
    random = generator(0, "score_bootstrap", num)
    conditions = [("image", num // 2), ("blind", num // 4), ("shuffled", num - num // 2 - num // 4)]
    with path.open("w", encoding="utf-8") as file:
        for condition, count in conditions:
            words = random.integers(len(WORDS), size=(count, 3))
            right = random.random(count) < (0.6 if condition == "image" else 0.3)
            for n in range(count):
                gold = " ".join(WORDS[(n * 7 + k * 3) % len(WORDS)] for k in range(3))
                said = gold if right[n] else " ".join(WORDS[w] for w in words[n])
                row = Prediction(
                    item_id=f"q{n}", task="path_vqa", condition=condition, cluster=f"p{n // per_cluster}",
                    prompt_sha256="0" * 64, raw=said, final=said, status="ok", parsed=said, gold=open_answer(gold),
                )  # fmt: skip
                file.write(row.model_dump_json() + "\n")


def print_coverage(num_sets: int) -> None:
    """Test sets of C clusters with m items, each cluster with its own skill; the truth is the skills' mean."""
    truth = 1 / 1.6
    print(f"{num_sets} test sets a row, 95 % intervals; truth {truth:.3f}")
    print("clusters x items    clustered, t(C-1)    naive, 1.96    Wilson of items")
    for count, size in ((30, 10), (60, 10), (96, 11), (200, 3), (500, 1)):
        random = generator(0, "coverage", count, size)
        clusters = np.repeat(np.arange(count), size)
        held = np.zeros(3)
        for _ in range(num_sets):
            scores = (random.random(count * size) < random.beta(1.0, 0.6, size=count)[clusters]).astype(float)
            found = interval(scores, clusters, bounds=(0.0, 1.0))
            low, high = wilson(float(scores.sum()), len(scores))
            half = 1.96 * naive_se(scores)
            held += [found.low <= truth <= found.high, abs(scores.mean() - truth) <= half, low <= truth <= high]
        shares = "    ".join(f"{share:16.1%}" for share in held / num_sets)
        print(f"{count:>8} x {size:<5} {shares}")


if __name__ == "__main__":
    main()

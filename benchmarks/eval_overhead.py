"""What `osler eval` costs beside the model: against a bare loop of transformers over the same batches.

Equal on both sides: the tiny model (untrained weights, so that replies run to their limit), 500 questions with an image
each, the same prompts in the same batches of 64, greedy, one process, the same replies, which are compared.

The peer reads the images into memory beforehand, cuts them into tiles, encodes the prompts, calls `model.generate` once
a batch and decodes the replies: no index, no hashes, no journal, no extraction, no scores. This code does a whole
evaluation, from the recipe to results.json and cases: the canary is off and one condition is asked, because the peer
has neither. Neither side loads the model within the time. On a busy machine the two large times differ by more than
what is sought, so the harness is timed alone, too: the same evaluation with the bare loop's replies given at once.

    python benchmarks/eval_overhead.py [--rounds 5] [--questions 500]
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, TypeVar

import torch
import transformers

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from eval_world import build_films, build_model
from osler.core.catalog import TASKS
from osler.core.log import Log
from osler.evaluation import run as evaluate
from osler.evaluation.items import load_items
from osler.evaluation.journal import read_predictions
from osler.infer.backends.local import LocalBackend, open_backend
from osler.infer.generator import Backend, Reply, Request
from osler.media.image import decode_image
from osler.store.shards import Store

TASK, BATCH = "phantom_closed", 64
T = TypeVar("T")


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        build_films(folder / "data", num_test=arguments.questions)
        backend = open_backend(build_model(folder / "model"), "cpu")
        store = Store(folder / "data")
        items = load_items(TASKS.load(TASK), [store])
        asked = [(item.turns, store.media(item.row)) for item in items]
        rounds: list[tuple[Times, Times, Times]] = []
        bare(backend, asked[:BATCH])
        for number in range(arguments.rounds):
            theirs, said = timed(lambda: bare(backend, asked))
            ours, out = timed(lambda folder=folder / f"out{number}": whole(backend, folder.parent, folder))
            alone, _ = timed(
                lambda folder=folder / f"alone{number}", said=said: whole(Canned(said), folder.parent, folder)
            )
            rounds.append((theirs, ours, alone))
            if [p.raw for p in read_predictions(out / "predictions.jsonl")] != said:
                raise SystemExit("the two sides gave different replies")
    print(f"transformers {transformers.__version__}, torch {torch.__version__}, one thread, {len(asked)} questions")
    for clock in ("wall", "processor"):
        bare_s, eval_s, alone_s = ([getattr(side, clock) for side in sides] for sides in zip(*rounds, strict=True))
        ratios = [ours / theirs for theirs, ours in zip(bare_s, eval_s, strict=True)]
        print(
            f"{clock + ' time':<15} bare loop {statistics.median(bare_s):6.2f} s, "
            f"osler eval {statistics.median(eval_s):6.2f} s: ratio {statistics.median(ratios):.3f} "
            f"({min(ratios):.3f} to {max(ratios):.3f}); harness alone {statistics.median(alone_s):.3f} s, "
            f"{statistics.median(alone_s) / statistics.median(bare_s):.1%} of the bare loop; "
            f"median of {len(rounds)} rounds"
        )


class Canned:
    """A backend that gives the replies it was told, in order, at once."""

    name = "canned"

    def __init__(self, said: list[str]) -> None:
        self._said = iter(said)

    def generate(self, requests: Sequence[Request]) -> list[Reply]:
        """The next replies."""
        return [Reply(next(self._said), 0, 0, 0.0, finished=True) for _ in requests]


class Times(NamedTuple):
    """Seconds of one side. On a machine with other work, processor time is what the side itself costs."""

    wall: float
    processor: float


def timed(side: Callable[[], T]) -> tuple[Times, T]:
    """How long `side` takes, and what it gives."""
    wall, processor = time.perf_counter(), time.process_time()
    value = side()
    return Times(time.perf_counter() - wall, time.process_time() - processor), value


def bare(backend: LocalBackend, asked: list) -> list[str]:
    """The replies by `model.generate`, batch by batch."""
    model, pictures, tokenizer = backend.model, backend.pictures, backend.tokenizer
    pad_id, end_id = int(tokenizer.pad_token_id), int(tokenizer.eos_token_id)
    said = []
    for start in range(0, len(asked), BATCH):
        prompts, tiles = [], []
        for turns, images in asked[start : start + BATCH]:
            cut = pictures.tiles(decode_image(images[0]))
            tiles += cut
            prompts.append(backend.prompter.question(turns, [len(cut)]))
        length = max(map(len, prompts))
        with torch.inference_mode():
            written = model.generate(
                input_ids=torch.tensor([[pad_id] * (length - len(ids)) + ids for ids in prompts]),
                attention_mask=torch.tensor([[0] * (length - len(ids)) + [1] * len(ids) for ids in prompts]),
                pixel_values=torch.stack(tiles),
                max_new_tokens=TASKS.load(TASK).max_new_tokens,
                do_sample=False,
            )
        for ids in written[:, length:].tolist():
            said.append(tokenizer.decode(ids[: ids.index(end_id)] if end_id in ids else ids, skip_special_tokens=False))
    return said


def whole(backend: Backend, folder: Path, out: Path) -> Path:
    """An evaluation from its recipe to its results."""
    sys.modules["bench.held"] = _module(backend)
    recipe = {"model": str(folder / "model"), "backend": "bench.held", "data": [str(folder / "data")], "tasks": [TASK]}
    config = evaluate.parse({**recipe, "batch_size": BATCH, "conditions": ["image"], "canary": 0})
    out.mkdir()
    evaluate.run(config, out, device="cpu", log=Log(quiet=True))
    return out


def _module(backend: Backend) -> ModuleType:
    """A backend entry that hands out the model that is already there."""
    module = ModuleType("bench.held")
    module.BACKEND = lambda model, device: backend  # type: ignore[attr-defined]
    return module


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--questions", type=int, default=500)
    return parser.parse_args()


if __name__ == "__main__":
    main()

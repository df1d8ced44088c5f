"""Canary: some questions asked a second time after the run; how many answers differ says how far to trust a decode."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from osler.core.files import read_json, sha256_json, write_json
from osler.core.rng import generator
from osler.evaluation.conditions import Ask
from osler.evaluation.runner import Answered, read_prediction
from osler.schema.base import Record
from osler.schema.prediction import Prediction


class CanaryCount(Record):
    """Of `asked` questions, `answered` got an answer the second time; of these, so many differ.

    raw: in any character. parsed: in what is scored, so that a score may differ.
    """

    asked: int = 0
    answered: int = 0
    raw: int = 0
    parsed: int = 0


class Canary(Record):
    """Written as `canary.json`. `first_sha256` tells which first answers it was held against."""

    schema_version: Literal[1] = 1
    seed: int
    first_sha256: str
    all: CanaryCount
    tasks: dict[str, CanaryCount]
    differing: tuple[tuple[str, str], ...]

    def note(self, task: str) -> str:
        """What a result of this task says of it; "" where none of its questions was drawn."""
        count = self.tasks.get(task)
        if count is None:
            return ""
        lacking = f", {count.asked - count.answered} got no second answer" if count.answered < count.asked else ""
        return (
            f"canary: {count.raw} of {count.answered} answers differed when asked again, "
            f"{count.parsed} in what is scored{lacking}"
        )


def draw_canary(asks: Sequence[Ask], predictions: Sequence[Prediction], *, size: int, seed: int) -> list[Ask]:
    """Up to `size` answered questions of the image condition, drawn under the seed, in their order."""
    pairs = zip(asks, predictions, strict=True)
    pool = [ask for ask, said in pairs if ask.condition == "image" and said.status != "error"]
    chosen = generator(seed, "canary").permutation(len(pool))[:size]
    return [pool[position] for position in sorted(chosen)]


def run_canary(
    chosen: Sequence[Ask],
    first: Mapping[tuple[str, str, str], Prediction],
    path: Path,
    *,
    seed: int,
    again: Callable[[Sequence[Ask]], Sequence[Answered]],
) -> Canary:
    """Ask again and count; the count is kept at `path` and taken from there while the first answers stay the same.

    Args:
        chosen: of `draw_canary`.
        first: the run's predictions by the asks' keys.
        path: of `canary.json`.
        seed: under which they were drawn.
        again: asks a second time. In which batches is its choice: an answer that hangs on them shows.
    """
    said = [first[ask.key] for ask in chosen]
    first_sha256 = sha256_json([[p.cache_key, p.raw] for p in said])
    if path.is_file():
        before = Canary.model_validate(read_json(path))
        if (before.seed, before.first_sha256) == (seed, first_sha256):
            return before
    second = {ask.key: read_prediction(ask, reply, cache_key="") for ask, reply in again(chosen)}
    pairs = [(p, second[ask.key]) for ask, p in zip(chosen, said, strict=True)]
    canary = Canary(
        seed=seed,
        first_sha256=first_sha256,
        all=_count(pairs),
        tasks={task: _count([pair for pair in pairs if pair[0].task == task]) for task in _names(said)},
        differing=tuple((a.task, a.item_id) for a, b in pairs if b.status != "error" and a.raw != b.raw),
    )
    write_json(path, canary.model_dump(mode="json"))
    return canary


def _count(pairs: Sequence[tuple[Prediction, Prediction]]) -> CanaryCount:
    answered = [(a, b) for a, b in pairs if b.status != "error"]
    return CanaryCount(
        asked=len(pairs),
        answered=len(answered),
        raw=sum(a.raw != b.raw for a, b in answered),
        parsed=sum((a.status, a.parsed) != (b.status, b.parsed) for a, b in answered),
    )


def _names(said: Sequence[Prediction]) -> list[str]:
    return list(dict.fromkeys(p.task for p in said))

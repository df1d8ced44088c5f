"""The command `osler synth`: made data to shards. The recipe's `generator` says what is made."""

from pathlib import Path

from osler.core.config import Recipe
from osler.core.errors import InputError, did_you_mean
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.synth.phantom.world import PhantomConfig, draw_world

GENERATORS = ("phantom",)


def parse(recipe: Recipe) -> PhantomConfig:
    """The recipe checked: the generator, its keys and its splits."""
    name = recipe.get("generator")
    if name not in GENERATORS:
        raise InputError(
            "recipe: no generator" if name is None else f"recipe: unknown generator {name!r}",
            expected=f"generator: {' or '.join(GENERATORS)}",
            fix=did_you_mean(str(name), GENERATORS),
        )
    return PhantomConfig.parse(recipe)


def inputs(config: PhantomConfig) -> list[Path]:
    """Nothing: phantoms are drawn from the seed."""
    del config
    return []


def run(config: PhantomConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Draw the phantom world under `out`. `device` is not used: no model runs."""
    del device
    return draw_world(config, out, log)

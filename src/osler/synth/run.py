"""The command `osler synth`: made data to shards. The recipe's `generator` says what is made."""

from collections.abc import Iterator
from pathlib import Path

from osler.core.config import Recipe
from osler.core.errors import InputError, did_you_mean
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.curate.pieces import operator_entry, read_operator
from osler.synth.phantom.pair_world import PhantomPairsConfig, draw_pair_world
from osler.synth.phantom.world import PhantomConfig, draw_world
from osler.synth.reasoning.build import build_set, check_operators, plan_lines
from osler.synth.reasoning.config import ReasoningConfig

GENERATORS = ("phantom", "phantom_pairs", "reasoning")
SAME_RESULT = ("budget",)
"""Keys of a recipe that say how the work is done; what comes out is the same."""

SynthConfig = PhantomConfig | PhantomPairsConfig | ReasoningConfig


def parse(recipe: Recipe) -> SynthConfig:
    """The recipe checked: the generator, its keys and its splits."""
    name = recipe.get("generator")
    if name not in GENERATORS:
        raise InputError(
            "recipe: no generator" if name is None else f"recipe: unknown generator {name!r}",
            expected=f"generator: {' or '.join(GENERATORS)}",
            fix=did_you_mean(str(name), GENERATORS),
        )
    if name == "phantom":
        return PhantomConfig.parse(recipe)
    if name == "phantom_pairs":
        return PhantomPairsConfig.parse(recipe)
    operators = recipe.get("operators") or []
    if not isinstance(operators, list):
        raise InputError("recipe: operators must be a list", got=type(operators).__name__)
    config = ReasoningConfig.parse({**recipe, "operators": [operator_entry(entry) for entry in operators]})
    check_operators(config)
    return config


def inputs(config: SynthConfig) -> list[Path]:
    """The stores of articles, and files that operators name. Phantoms are drawn from the seed: nothing."""
    if not isinstance(config, ReasoningConfig):
        return []
    paths = [Path(folder) for folder in config.stores]
    for entry in config.operators:
        for spec in entry.items():
            operator, options = read_operator(spec)
            paths += operator.inputs(options)
    return list(dict.fromkeys(paths))


def dry_run_lines(config: SynthConfig, log: Log) -> Iterator[str]:
    """How much would be read and asked. Nothing is written, and nobody is asked."""
    del log
    if isinstance(config, ReasoningConfig):
        yield from plan_lines(config)


def run(config: SynthConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Draw the phantom world or its pairs, or build the reasoning set, under `out`. `device` is not used."""
    del device
    if isinstance(config, PhantomConfig):
        return draw_world(config, out, log)
    if isinstance(config, PhantomPairsConfig):
        return draw_pair_world(config, out, log)
    return build_set(config, out, log)

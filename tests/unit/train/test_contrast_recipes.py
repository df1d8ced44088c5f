"""The recipes of contrastive pretraining parse and say what their comments say."""

from pathlib import Path

import pytest

from osler.core.config import load_recipe
from osler.train.run import inputs, parse

RECIPES = Path(__file__).parents[3] / "recipes"


@pytest.mark.parametrize("name", ["train/contrast", "train/contrast_locked", "tiny/contrast", "demo/contrast"])
def test_recipes_parse(name: str) -> None:
    config = parse(load_recipe(RECIPES / f"{name}.yaml"))
    assert config.stage == "contrast"
    assert inputs(config)


def test_a_large_step_in_the_memory_of_a_small_one() -> None:
    config = parse(load_recipe(RECIPES / "train" / "contrast.yaml"))
    passes = config.schedule.steps * config.pairs_per_step / 939_439
    assert passes == pytest.approx(10, rel=0.01)
    assert (config.pairs_per_step, config.chunk_pairs, config.parallel.engine) == (2048, 64, "ddp")
    assert set(config.texts) == {"caption", "mention"}


def test_locked_means_no_rate() -> None:
    config = parse(load_recipe(RECIPES / "train" / "contrast_locked.yaml"))
    assert (config.vision_lr, config.loss) == (None, "sigmoid")

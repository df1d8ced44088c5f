"""The recipes of recipes/rl say what they should: the control has the very questions of what it controls."""

from pathlib import Path

import pytest

from osler.core.config import load_recipe
from osler.rl.config import GrpoConfig, SupervisedConfig
from osler.rl.run import parse

RECIPES = Path(__file__).parents[3] / "recipes" / "rl"
OURS = sorted(path.stem for path in RECIPES.glob("*.yaml") if "method" in load_recipe(path))


@pytest.mark.parametrize("name", OURS)
def test_a_recipe_parses(name: str) -> None:
    assert parse(load_recipe(RECIPES / f"{name}.yaml")).seed == 0


def test_all_methods_have_a_recipe() -> None:
    methods = {load_recipe(RECIPES / f"{name}.yaml")["method"] for name in OURS}
    assert methods == {"grpo", "dpo", "rejection", "supervised"}


def test_the_control_has_the_same_questions_and_the_same_start() -> None:
    trial, control = (parse(load_recipe(RECIPES / f"{name}_phantom.yaml")) for name in ("grpo", "supervised"))
    assert isinstance(trial, GrpoConfig) and isinstance(control, SupervisedConfig)
    for key in ("seed", "model", "data", "num_prompts"):
        assert getattr(trial, key) == getattr(control, key), key
    assert (trial.vision_lr, trial.projector_lr, trial.lm_lr) == (
        control.vision_lr, control.projector_lr, control.lm_lr
    )  # fmt: skip


def test_open_med_reason_sees_letters_and_never_traces() -> None:
    config = parse(load_recipe(RECIPES / "open_med_reason_grpo.yaml"))
    assert isinstance(config, GrpoConfig) and set(config.rewards) == {"answer_correct", "format", "length"}
    assert config.model.lora is not None and config.loss.kl > 0 and config.alarms.action == "stop"

"""The recipes of published models parse, and say what was published."""

from pathlib import Path

import pytest

from osler.core.config import Config, load_recipe
from osler.train.plan import make_plan, without_plan
from osler.train.plan import parse as parse_plan
from osler.train.run import parse

RECIPES = Path(__file__).parents[3] / "recipes" / "train"
# Stage, learning rates of vision, projector and language model, warm-up share (arXiv 2603.00842).
PUBLISHED = {
    "align": ("align", (None, 1e-3, None), 0.01),
    "midtrain": ("midtrain", (2e-5, 2e-5, 2e-5), 0.03),
    "instruct": ("instruct", (8e-5, 8e-5, 8e-5), 0.03),
}


def recipe_config(name: str) -> Config:
    return parse(without_plan(load_recipe(RECIPES / f"{name}.yaml")))


@pytest.mark.parametrize("name", PUBLISHED)
def test_medgpt_oss(name: str) -> None:
    config = recipe_config(f"medgpt_oss/{name}")
    stage, rates, warmup = PUBLISHED[name]
    assert (config.stage, config.schedule.warmup_ratio, config.schedule.weight_decay) == (stage, warmup, 0.05)
    assert (config.vision_lr, config.projector_lr, config.lm_lr) == rates
    assert config.pack.row_tokens == 32768 and config.schedule.checkpointing == "full"
    assert config.parallel.engine == "zero3"


@pytest.mark.parametrize("name", PUBLISHED)
def test_kernels_of_published_runs_are_written_out(name: str) -> None:
    model = recipe_config(f"medgpt_oss/{name}").model
    assert "auto" not in {*model.attention.values(), model.experts}


def test_the_other_reading_of_stage_0_is_a_key() -> None:
    recipe = without_plan(load_recipe(RECIPES / "medgpt_oss" / "align.yaml"))
    assert parse({**recipe, "vision_lr": 1e-3}).vision_lr == 1e-3


@pytest.mark.parametrize(
    ("name", "mix"), [("align", "medgpt_oss_pt"), ("midtrain", "medgpt_oss_mt"), ("instruct", "medgpt_oss_it")]
)
def test_each_stage_reads_its_mix(name: str, mix: str) -> None:
    (data,) = recipe_config(f"medgpt_oss/{name}").data
    assert data.by_dataset and data.shards == Path(f"out/data/{mix}")
    assert (RECIPES.parent / "mix" / f"{mix}.yaml").is_file()


def test_openmedq() -> None:
    config = recipe_config("openmedq")
    assert config.model.lora.rank == 8 and config.model.family == "openmedq"
    assert [(each.shards, each.by_dataset) for each in config.data] == [(Path("out/data/openmedq"), True)]


def test_stage_0_is_planned_on_the_published_machine() -> None:
    found = make_plan(*parse_plan(load_recipe(RECIPES / "medgpt_oss" / "align.yaml")))
    assert found.work.layout.num_gpus == 8 and found.gpu.name == "b200"
    assert found.speed.hours < 8.45  # what was published
    assert found.steps == pytest.approx(5835, rel=0.02)


@pytest.mark.parametrize(("name", "steps"), [("midtrain", 120_139), ("instruct", 22_600)])
def test_later_stages_are_planned_before_the_earlier_ones_have_run(name: str, steps: int) -> None:
    found = make_plan(*parse_plan(load_recipe(RECIPES / "medgpt_oss" / f"{name}.yaml")))
    assert found.stand_in is not None and "medgpt_oss_20b" in found.stand_in
    assert sum(part.parameters for part in found.work.parts) == 21_238_369_472
    assert found.steps == pytest.approx(steps, rel=0.02) and found.work.trained_weights["lm"]

"""The recipes in recipes/eval and recipes/real resolve, and the published tables are whole."""

from pathlib import Path

import pytest
import yaml

from osler.core.catalog import TASKS
from osler.core.config import load_recipe
from osler.curate.run import parse as parse_curate
from osler.evaluation.config import EvalConfig
from osler.evaluation.run import parse

ROOT = Path(__file__).parents[3] / "recipes"
# Recipes of osler eval name who answers; the others here are of osler score and osler export-tasks.
EVAL = [path for path in sorted((ROOT / "eval").glob("*.yaml")) if {"model", "endpoints"} & load_recipe(path).keys()]
# The row of each published score: task, metric, value, number of items.
MEDGPT_OSS = {
    ("medxpertqa_mm", "choice_accuracy", 0.4923, 2000),
    ("slake_closed", "closed_accuracy", 0.7153, 836),
    ("med_frame_qa", "choice_accuracy", 0.6301, 2851),
    ("mmmu_med", "choice_accuracy", 0.6149, 175),
    ("mmmu_pro_med_4", "choice_accuracy", 0.5234, 286),
    ("mmmu_pro_med_10", "choice_accuracy", 0.3994, 286),
    ("med_qa_4", "choice_accuracy", 0.7011, 1273),
    ("med_mcqa", "choice_accuracy", 0.6253, 4183),
    ("pubmed_qa", "closed_accuracy", 0.5781, 500),
    ("mmlu_med_7", "choice_accuracy", 0.7259, 1395),
    ("medxpertqa_text", "choice_accuracy", 0.2538, 2450),
    ("medbullets_4", "choice_accuracy", 0.6871, 298),
    ("medbullets_5", "choice_accuracy", 0.6871, 298),
    ("patient_trial", "choice_accuracy", 0.4881, 4936),
    ("patient_trial_1shot", "choice_accuracy", 0.556, 4936),
    ("mimic_findings", "radgraph_f1/partial", 0.189, 2231),
    ("mimic_findings", "ratescore/long", 0.522, 2231),
    ("mimic_findings", "radcliq/v1", 1.2453, 2231),
    ("mimic_impression", "ratescore/long", 0.4722, 1564),
    ("mimic_impression_1shot", "ratescore/long", 0.4725, 1564),
}


def config(path: Path) -> EvalConfig:
    return parse(load_recipe(path))


@pytest.mark.parametrize("path", [*EVAL, ROOT / "real" / "vqa_rad_eval.yaml"], ids=lambda path: path.stem)
def test_recipes_resolve(path):
    assert config(path).tasks


def test_the_whole_published_table_stands_beside_ours():
    recipe = config(ROOT / "eval" / "medgpt_oss.yaml")
    rows = {(task, p.metric, p.value, p.n) for task, scores in recipe.published.items() for p in scores}
    assert rows == MEDGPT_OSS
    assert {task for task, *_ in rows} == set(recipe.tasks), "a task without a published score, or one not asked"
    assert recipe.absent == "report"
    assert abs(1 / 1.2453 - 0.803) < 5e-4


def test_a_published_count_that_is_not_the_tasks_own_says_why():
    for name in ("medgpt_oss", "openmedq"):
        for task, scores in config(ROOT / "eval" / f"{name}.yaml").published.items():
            for score in scores:
                assert score.n in (None, TASKS.load(task).items.count) or score.note, (task, score)


def test_openmedq_says_that_its_bleu_is_not_stated():
    published = config(ROOT / "eval" / "openmedq.yaml").published
    assert {task: [(p.metric, p.value) for p in scores] for task, scores in published.items()} == {
        "path_vqa": [("bleu1", 0.759)],
        "vqa_med_2019": [("bleu1", 0.645)],
    }
    assert all("not stated" in p.note for scores in published.values() for p in scores)


@pytest.mark.parametrize("name", ["medgpt_oss", "openmedq"])
def test_the_curate_recipe_gives_every_set_that_is_asked(name):
    curated = parse_curate(yaml.safe_load((ROOT / "curate" / f"{name}_eval.yaml").read_text()))
    given = {(entry.name, split) for entry in curated.datasets for split in entry.splits}
    tasks = [TASKS.load(task) for task in config(ROOT / "eval" / f"{name}.yaml").tasks]
    assert {(task.dataset, task.split) for task in tasks} <= given
    shown = {task.dataset for task in tasks if task.num_shots}
    assert {(dataset, "train") for dataset in shown} <= given

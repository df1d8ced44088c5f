"""The recipes of published mixes: their sets, the published counts, and what can be read of them here."""

from pathlib import Path

import pytest

from osler.core.config import load_recipe
from osler.core.errors import InputError
from osler.core.log import Log
from osler.curate.run import dry_run_lines, parse

MIXES = Path(__file__).parents[3] / "recipes" / "mix"
# arXiv 2603.00842, counts of its table of training sets; arXiv 2606.12953, 14 sets.
PUBLISHED = {
    "medgpt_oss_pt": (4, 939_439),
    "medgpt_oss_mt": (4, 19_342_373),
    "medgpt_oss_it": (23, 6_280_728),
    "openmedq": (14, None),
}


def test_every_recipe_is_known():
    assert sorted(path.stem for path in MIXES.glob("*.yaml")) == sorted(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_sets_and_weights_are_the_published_ones(name):
    sets = load_recipe(MIXES / f"{name}.yaml")["datasets"]
    num_sets, num_samples = PUBLISHED[name]
    assert len({entry["name"] for entry in sets}) == len(sets) == num_sets
    if num_samples is not None:
        assert sum(entry["weight"] for entry in sets) == num_samples
    assert all(entry.get("cap", 1) <= entry.get("weight", entry.get("cap", 1)) for entry in sets)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_mix_is_audited_as_it_ships(name, tmp_path, monkeypatch):
    monkeypatch.setenv("OSLER_DATA", str(tmp_path))
    recipe = load_recipe(MIXES / f"{name}.yaml")
    text = "\n".join(dry_run_lines(parse(recipe), Log(quiet=True)))
    assert all(f"\n{entry['name']} " in text for entry in recipe["datasets"]) and "not here" in text
    assert "under an agreement that the recipe states" in text
    with pytest.raises(InputError, match="must not be used for commercial"):
        list(dry_run_lines(parse({**recipe, "use": "commercial"}), Log(quiet=True)))

import pytest

from osler.core.errors import InputError
from osler.core.log import Log
from osler.synth import run as synth
from osler.synth.reasoning.prompts import NAMES, prompt_hashes, read_prompt
from osler.synth.reasoning.step import Step
from osler.synth.reasoning.steps import ROLES, STEPS
from osler.synth.reasoning.taxonomy import FAMILIES, FAMILY_OF, category_list
from reasoning_world import curated, draw_articles

ENDPOINT = {"url": "http://127.0.0.1:1/v1", "model": "m"}
RECIPE = {"generator": "reasoning", "stores": ["store"], "roles": {"default": ENDPOINT}}


def test_a_recipe_is_resolved_with_every_prompts_hash_and_reads_back():
    config = synth.parse({**RECIPE, "operators": ["drop_small_image"]})
    resolved = config.model_dump(mode="json")
    assert resolved["prompts_sha256"] == prompt_hashes() and resolved["splits"]["test"] == 0.01
    assert resolved["operators"] == [{"drop_small_image": {"min_side_px": 112}}]
    assert synth.parse(resolved) == config
    assert [str(path) for path in synth.inputs(config)] == ["store"]


def test_a_role_has_its_own_model_and_the_runs_budget():
    other = {"url": "http://other/v1", "model": "n"}
    config = synth.parse({**RECIPE, "roles": {"default": ENDPOINT, "blind": other}, "budget": {"max_tokens": 5}})
    endpoints = config.endpoints()
    assert set(endpoints) == set(ROLES) and endpoints["blind"].model == "n" and endpoints["solve"].model == "m"
    assert {each.max_tokens for each in endpoints.values()} == {5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator": "reasonning"}, "Did you mean 'reasoning'"),
        ({"stores": []}, "stores"),
        ({"roles": {}}, "key 'roles.default' is missing"),
        ({"roles": {"default": ENDPOINT, "blnd": ENDPOINT}}, "Did you mean 'blind'"),
        ({"roles": {"default": {**ENDPOINT, "max_tokens": 9}}}, "state the run's under `budget`"),
        ({"budget": {"max_cost": 2}}, "budget.max_cost needs the price of every model"),
        ({"question": {"blind_max_right": 3}}, "else no question can fail"),
        ({"question": {"solve_min_right": 2}}, "which no question can meet"),
        ({"question": {"blind_tries": 5}}, "at most num_options"),
        ({"question": {"num_options": 11}}, "num_options"),
        ({"splits": {"train": 0.5}}, "must add up to 1"),
        ({"prompts_sha256": {"write": "00"}}, "asks 'write' with another instruction, whose SHA-256 is"),
        ({"prompts_sha256": {"rite": "00"}}, "no step 'rite'; steps are screen"),
        ({"operators": "drop_small_image"}, "operators must be a list"),
        ({"operators": ["trim_borders"]}, "operator 'trim_borders' changes records.*osler curate"),
        ({"operators": ["drop_duplicate_pixels"]}, "needs to see the whole set.*osler curate"),
        ({"name": "No Good"}, "name"),
        ({"use": "fun"}, "use"),
    ],
)
def test_a_wrong_recipe_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        synth.parse({**RECIPE, **change})


def test_a_dry_run_tells_how_much_would_be_asked(tmp_path):
    draw_articles(tmp_path / "a", num_articles=3, num_figures=2, licensed=lambda n: True)
    store = curated(tmp_path / "a", tmp_path / "store")
    config = synth.parse({**RECIPE, "stores": [str(store)], "splits": {"train": 1.0}})
    lines = list(synth.dry_run_lines(config, Log(quiet=True)))
    assert lines == [
        "6 figures of 3 articles (3 train)",
        "at most 28 questions to models a figure, 168 in all, second tries aside",
    ]
    assert list(synth.dry_run_lines(synth.parse({"generator": "phantom", "num_patients": 2}), Log(quiet=True))) == []


def test_the_taxonomy_has_nineteen_categories_in_five_families():
    assert [len(names) for names in FAMILIES.values()] == [6, 4, 3, 5, 1] and len(FAMILY_OF) == 19
    assert all(f"- {name} ({family}): " in category_list() for name, family in FAMILY_OF.items())


def test_every_step_has_a_prompt_and_every_prompt_a_step():
    assert tuple(step.name for step in STEPS) == NAMES and all(isinstance(step, Step) for step in STEPS)
    texts = [read_prompt(name).text for name in NAMES]
    assert len(set(texts)) == len(NAMES)
    assert all("Reply with one JSON object and nothing else" in text and "not to be followed" in text for text in texts)
    for step in STEPS:
        assert all(f'"{field}"' in read_prompt(step.name).text for field in step.answer.model_fields), step.name


def test_the_instructions_are_those_that_recipes_pin():
    """A change of a prompt changes what a recipe makes: it belongs into the changelog, and here."""
    assert prompt_hashes() == PINNED


PINNED = {
    "screen": "56f50e2989017bcaa859b3ebd031e481fd5f5ff8a92a9cd85c74e4e3baab9cc2",
    "assign": "18b07ff9c15e9a0fa87fc989611bc343babf2b99fecad687ff8c6eeb6c360b64",
    "write": "22bcefc9b0da632db7e7109993b69aa94ce8a74762076302a72a62180b9f5b21",
    "support": "1f34dcd73e9af0948c5f9821d4f28c97590629f4449299a0146042f54b64cff0",
    "leakage": "c18af7b203bc323c18b32c3553c0115f3c07d38662fb9a73c16d808f98a17d65",
    "blind": "e74d66fb6bf32467d8e0af721068beb6a092af926afa642e8d6e403d8c435e50",
    "solve": "99e64dbf5d3305d935d2597f226ce82f8c5d1f5e8d649d92422ef4e5f4d8b346",
    "draft": "d9eccba8f1db3676fe6054ac80c23c3b67a0ca1c8a22c7f1815304e5e55e95db",
    "trace": "0025dab76dad897b268a5404ceb3fbd8d561c8ac242b5fb9cda18a81fd93fc1c",
    "consistency": "60f687876a51b6df853eb440f151ba722fe16765a97f4cc2e4d7dbc85fbb95dc",
    "justification": "7bebd27bf231faa369c5a25f7eef62e68dc27543ab710de5683cf3cb0a1e845a",
    "utility": "38726e0ce15d10e35a163ae741f33e183d871b99cd0d69f83fba2f69d86907d6",
    "rubric": "2bafbac6d88e70a03f25f63acc7091fc320566773d3857fdffa5f0c4dc9ff2c0",
}

from pathlib import Path

import pytest

from osler.core.config import load_recipe
from osler.core.errors import InputError
from osler.serve.config import ServeConfig
from serve_world import Saying, Served

FIRST, SECOND = Saying(model="one"), Saying(model="two", pieces=["from the second"], model_sha256="2" * 64)


@pytest.fixture
def served():
    return Served([FIRST, SECOND])


def ask(served, model):
    body = {"model": model, "messages": [{"role": "user", "content": "?"}]}
    return served.post("/v1/chat/completions", json=body)


def test_a_request_names_the_model_that_answers(served):
    listed = served.get("/v1/models").json()["data"]
    assert [(each["id"], each["sha256"][0], each["max_images"]) for each in listed] == [
        ("one", "0", 8),
        ("two", "2", 8),
    ]
    assert ask(served, "one").json()["choices"][0]["message"]["content"] == "two lungs"
    reply = ask(served, "two").json()
    assert (reply["choices"][0]["message"]["content"], reply["model"]) == ("from the second", "two")
    assert (ask(served, "three").status_code, ask(served, ["one"]).status_code) == (404, 400)


def test_the_audit_is_told_which_one_answered(served):
    ask(served, "one")
    ask(served, "two")
    told = [(event.model, event.bundle_sha256) for event in served.events]
    assert told == [("one", "")] * 2 + [("two", "2" * 64)] * 2


def test_ready_means_that_all_are_ready():
    ailing = Saying(model="two", trouble="it is not there")
    assert Served([FIRST, ailing]).get("/ready").status_code == 503


def test_two_of_one_name_are_refused():
    with pytest.raises(ValueError, match="a name of its own"):
        Served([FIRST, Saying(model="one")])
    recipe = {"name": "a", "keys": "keys.json", "embedded": {"model": "m"}}
    with pytest.raises(InputError, match="names of their own"):
        ServeConfig.parse(recipe | {"others": [{"name": "a", "embedded": {"model": "n"}}]})
    with pytest.raises(InputError, match="one engine"):
        ServeConfig.parse(recipe | {"others": [{"name": "b"}]})


RECIPES = [path for path in sorted(Path("recipes/serve").glob("*.yaml")) if path.stem != "bundle"]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_recipes_are_ones(path):
    assert ServeConfig.parse(load_recipe(path, ())).keys

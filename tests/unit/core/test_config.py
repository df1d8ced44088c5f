import pytest
import yaml

from osler.core.config import Config, load_recipe, save_recipe
from osler.core.errors import InputError


class Inner(Config):
    projector_lr: float = 1e-4


class Outer(Config):
    seed: int
    train: Inner = Inner()
    parts: tuple[Inner, ...] = ()


def write(tmp_path, text):
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return path


def test_a_recipe_is_read_with_overrides_read_as_yaml(tmp_path):
    path = write(tmp_path, "seed: 1\ntrain: {projector_lr: 0.5}\n")
    recipe = load_recipe(path, ["train.projector_lr=1.0e-3", "names=[a, b]", "new.deep.key=true"])
    assert recipe == {"seed": 1, "train": {"projector_lr": 1e-3}, "names": ["a", "b"], "new": {"deep": {"key": True}}}


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"sed": 1}, "unknown key 'sed'; known keys: seed, train, parts. Did you mean 'seed'?"),
        ({"seed": 1, "train": {"projektor_lr": 1}}, "Did you mean 'projector_lr'?"),
        ({"seed": 1, "parts": [{"projector_l": 1}]}, "unknown key 'parts.0.projector_l'"),
        ({}, "key 'seed' is missing"),
        ({"seed": "many"}, "got 'many'"),
        ([1], "must be a mapping; got list"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(recipe, said):
    with pytest.raises(InputError) as error:
        Outer.parse(recipe)
    assert said in str(error.value)


def test_a_config_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Outer.parse({"seed": 1}).seed = 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: 1\nseed: 2\n", "key 'seed' is given twice"),
        ("seed: [1\n", "is not valid YAML"),
        ("- 1\n", "expected a mapping of keys; got list"),
        ("", "got NoneType"),
        ("a: !!python/object/apply:os.getcwd []\n", "is not valid YAML"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path, text, said):
    with pytest.raises(InputError) as error:
        load_recipe(write(tmp_path, text))
    assert said in str(error.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="nothing at that path"):
        load_recipe(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="got a folder"):
        load_recipe(tmp_path)


@pytest.mark.parametrize("override", ["seed", "=1", "seed.x=1"])
def test_an_override_that_cannot_apply_is_refused(tmp_path, override):
    with pytest.raises(InputError, match="override"):
        load_recipe(write(tmp_path, "seed: 1\n"), [override])


def test_a_saved_recipe_reads_back_the_same(tmp_path):
    recipe = {"zeta": 1, "alpha": {"wörter": "Größe", "lr": 1e-4}}
    save_recipe(tmp_path / "r.yaml", recipe)
    assert load_recipe(tmp_path / "r.yaml") == recipe
    assert list(yaml.safe_load((tmp_path / "r.yaml").read_text())) == ["zeta", "alpha"]

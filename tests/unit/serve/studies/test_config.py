"""What a recipe may say of studies, and what is opened by it."""

import pytest

from osler.core.config import load_recipe
from osler.core.errors import InputError
from osler.serve.config import ServeConfig
from osler.serve.studies.config import StudiesConfig, open_studies
from studies_world import opened


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"kept": {}}, "keep"),
        ({"keep": {"folder": "x"}}, "hours"),
        ({"keep": {"folder": "x", "hours": 0}}, "hours"),
        ({"ocr": "none"}, "ocr"),
        ({"memory_mb": 100}, "memory_mb"),
        ({"archives": {"the PACS": {"url": "https://x/y"}}}, "archives"),
        ({"receive": {"callers": []}}, "callers"),
        ({"receive": {"callers": ["a title too long for DICOM"]}}, "callers"),
        ({"destinations": {"pacs": {"host": "x", "port": 0, "ae_title": "A"}}}, "port"),
        ({"receive": {"callers": ["A"], "certificate": "x"}}, "TLS needs certificate, key and ca"),
        ({"receive": {"callers": ["A"], "certificate": "x", "key": "y"}}, "TLS needs certificate, key and ca"),
        ({"destinations": {"pacs": {"host": "x", "port": 1, "ae_title": "A", "certificate": "x"}}}, "TLS needs ca"),
        ({"destinations": {"pacs": {"host": "x", "port": 1, "ae_title": "A", "certificate": "x", "key": "y"}}}, "TLS"),
    ],
)
def test_a_recipe_that_says_something_else_is_refused(recipe, message):
    with pytest.raises(InputError, match=message):
        StudiesConfig.parse(recipe)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"key_file": "no/such/key"}, "cannot read"),
        ({"archives": {"pacs": {"url": "http://pacs.hospital.example/dw"}}}, "no address"),
        ({"archives": {"pacs": {"url": "https://x/y", "credentials_file": "no/such/file"}}}, "cannot read"),
        ({"receive": {"callers": ["A"]}}, "needs a place to keep"),
        ({"receive": {"callers": ["A"], "certificate": "no", "key": "no", "ca": "no"}}, "cannot read no"),
        ({"destinations": {"pacs": {"host": "x", "port": 1, "ae_title": "A", "ca": "no"}}}, "cannot read no"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_served(config, message):
    with pytest.raises(InputError, match=message):
        opened(**config)


def test_a_reader_that_cannot_be_loaded_is_said():
    with pytest.raises(InputError, match="cannot be started: ModuleNotFoundError"):
        open_studies(StudiesConfig(), target="no.such.module:start")


def test_pseudonyms_change_with_every_start_unless_there_is_a_key(tmp_path):
    key = tmp_path / "key"
    key.write_bytes(bytes(range(64)))
    key.chmod(0o600)
    tokens = []
    for config in ({}, {}, {"key_file": str(key)}, {"key_file": str(key)}):
        house = opened(**config)
        tokens.append(house.names.token("patient", "x"))
        house.close()
    assert len(set(tokens)) == 3 and tokens[2] == tokens[3]


def test_the_recipe_of_a_hospital_is_one():
    from pathlib import Path

    path = Path(__file__).parents[4] / "recipes" / "serve" / "hospital.yaml"
    config = ServeConfig.parse(load_recipe(path))
    assert config.studies is not None and config.studies.receive is not None and "pacs" in config.studies.archives

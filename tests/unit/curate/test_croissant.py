import json
from pathlib import Path

import pytest

from osler.core.files import sha256_file
from osler.core.log import Log
from osler.curate.run import parse, run
from osler.store.index import SCHEMA

FIXTURES = Path(__file__).parents[2] / "fixtures" / "datasets"


@pytest.fixture
def described(tmp_path) -> tuple[Path, dict]:
    entry = {"name": "covid_chestxray", "root": str(FIXTURES / "covid_chestxray"), "splits": ["train"]}
    run(parse({"title": "Films", "datasets": [entry]}), tmp_path, device="cpu", log=Log(quiet=True))
    return tmp_path, json.loads((tmp_path / "croissant.json").read_text())


def test_it_conforms_to_croissant(described):
    _, value = described
    assert value["@type"] == "sc:Dataset" and value["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert {"@context", "name", "description", "license", "url", "creator", "distribution", "recordSet"} <= set(value)
    assert value["license"] == ["CC BY-NC-SA"] and "Cohen" in value["citeAs"]


def test_its_files_are_there(described):
    out, value = described
    objects = [item for item in value["distribution"] if item["@type"] == "cr:FileObject"]
    assert [item["contentUrl"] for item in objects] == ["shards/train-00000.tar", "index/train-00000.parquet"]
    for item in objects:
        assert item["sha256"] == sha256_file(out / item["contentUrl"])
        assert item["contentSize"] == f"{(out / item['contentUrl']).stat().st_size} B"


def test_its_fields_are_the_columns_of_the_index(described):
    _, value = described
    fields = {item["name"]: item for item in value["recordSet"][0]["field"]}
    assert list(fields) == SCHEMA.names
    assert fields["widths"]["repeated"] and fields["widths"]["dataType"] == "sc:Integer"
    sources = {item["source"]["fileSet"]["@id"] for item in fields.values()}
    assert sources == {item["@id"] for item in value["distribution"] if item["@type"] == "cr:FileSet"}

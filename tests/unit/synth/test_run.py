from pathlib import Path

import pytest

from osler.core.config import load_recipe
from osler.core.errors import InputError
from osler.core.log import Log
from osler.synth import run as synth

RECIPE = {"generator": "phantom", "num_patients": 4}


def test_a_recipe_is_resolved_with_all_defaults():
    config = synth.parse(RECIPE)
    assert config.model_dump(mode="json") == {
        "generator": "phantom",
        "seed": 0,
        "num_patients": 4,
        "image_px": 96,
        "splits": {"train": 0.8, "validation": 0.1, "test": 0.1},
        "compare_share": 1.0,
        "shard_records": 1024,
        "num_workers": 1,
        "write": ["shards"],
    }
    assert synth.parse(config.model_dump(mode="json")) == config
    assert synth.inputs(config) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator": "phantm"}, "unknown generator 'phantm'.*Did you mean 'phantom'"),
        ({"generator": None}, "no generator.*generator: phantom"),
        ({"image_pixels": 96}, "unknown key 'image_pixels'.*Did you mean 'image_px'"),
        ({"splits": {"train": 1.0, "tests": 0.0}}, "Did you mean 'test'"),
        ({"splits": {"train": 0.8, "test": 0.1}}, "must add up to 1; they add up to 0.9"),
        ({"splits": {"train": 1.5, "test": -0.5}}, "splits.train"),
        ({"num_patients": 0}, "num_patients"),
        ({"image_px": 20}, "image_px"),
        ({"shard_records": 0}, "shard_records"),
        ({"compare_share": 1.5}, "compare_share"),
        ({"write": ["dicom"]}, r"write must be \[shards\] or \[shards, dicom\]"),
        ({"write": ["shards", "nifti"]}, "write"),
        ({"num_workers": -1}, "num_workers"),
    ],
)
def test_a_wrong_recipe_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        synth.parse({**RECIPE, **change})


def test_the_number_of_patients_must_be_given():
    with pytest.raises(InputError, match="key 'num_patients' is missing"):
        synth.parse({"generator": "phantom"})


def test_run_draws(tmp_path):
    config = synth.parse({**RECIPE, "image_px": 48, "splits": {"train": 1.0}})
    outcome = synth.run(config, tmp_path, device="cpu", log=Log(quiet=True))
    assert outcome.counts["patients"] == 4 and str(tmp_path) in outcome.message
    assert (tmp_path / "truth.parquet").is_file()


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[3] / "recipes" / "synth").glob("*.yaml")), ids=str)
def test_a_recipe_of_ours_is_read(path):
    config = synth.parse(load_recipe(path))
    assert synth.parse(config.model_dump(mode="json")) == config

import json

import pytest
from safetensors.torch import load_file, save_file

from osler.core.errors import InputError
from osler.core.log import Log
from osler.scoring.encoders.runs import read_runs
from osler.transfer import run as transfer
from osler.transfer import units
from transfer_world import class_folders

QUICK = {"few_shot": {"sizes": [1, 2]}, "scores": {"num_resamples": 50, "num_permutations": 49}}


def recipe(root, **more):
    return {
        "encoders": [{"name": "one", "encoder": "tiny"}, {"name": "two", "encoder": "tiny", "seed": 1}],
        "sets": [{"name": "drawn", "dataset": "folder", "root": str(root)}],
        "probes": ["linear", "knn", "few_shot"],
        "protocol": QUICK,
        **more,
    }


def run(recipe, out):
    config = transfer.parse(recipe)
    return transfer.run(config, out, device="cpu", log=Log(quiet=True))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("transfer")
    root = class_folders(folder / "set")
    (root / "dark" / "broken.png").write_text("no picture")
    return root, folder / "out", run(recipe(root), folder / "out")


def test_results_have_the_contracts_form_and_the_protocols_hash(done):
    _, out, outcome = done
    results = json.loads((out / "results.json").read_text())
    protocol = json.loads((out / "protocol.json").read_text())
    assert {each["task"] for each in results} == {f"drawn/{p}" for p in ("linear", "knn", "few_shot_1", "few_shot_2")}
    assert {each["protocol_sha256"] for each in results} == {protocol["sha256"]}
    first = results[0]
    assert first["n"] > 0 and first["ci_method"] and first["baseline"]["majority"]["value"] is not None
    assert outcome.counts["dropped"] == 1 and outcome.counts["encoders"] == 2
    assert "cannot be shown" in json.loads((out / "drops.jsonl").read_text().splitlines()[0])["reason"]


def test_scores_come_from_kept_predictions(done):
    _, out, _ = done
    runs = read_runs(out)
    assert len(runs) == 2 * 3 * 5
    assert {(each.encoder, each.probe) for each in runs} == {
        (e, p) for e in ("one", "two") for p in ("linear", "knn", "few_shot")
    }
    comparisons = json.loads((out / "comparisons.json").read_text())
    assert [each["probe"] for each in comparisons] == ["few_shot_1", "few_shot_2", "knn", "linear"]


def test_a_run_that_was_cut_does_only_what_is_missing_and_ends_alike(done, tmp_path, monkeypatch):
    root, out, _ = done
    config = transfer.parse(recipe(root))
    num_written = []
    write = units.write_run

    def killed(folder, one):
        if len(num_written) == 7:
            raise KeyboardInterrupt
        num_written.append(one.name)
        write(folder, one)

    monkeypatch.setattr(units, "write_run", killed)
    with pytest.raises(KeyboardInterrupt):
        transfer.run(config, tmp_path / "out", device="cpu", log=Log(quiet=True))
    again = []
    monkeypatch.setattr(units, "write_run", lambda folder, one: again.append(one.name) or write(folder, one))
    transfer.run(config, tmp_path / "out", device="cpu", log=Log(quiet=True))
    assert len(again) == 30 - 7 and not set(again) & set(num_written)
    for name in ("results.json", "comparisons.json", "sets.json", "drops.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (out / name).read_bytes()


def test_weights_with_a_missing_tensor_are_refused(tmp_path):
    from osler.model.encoder import open_encoder

    folder = tmp_path / "weights"
    open_encoder("tiny", None).tower.model.save_pretrained(folder)
    tensors = load_file(folder / "model.safetensors")
    save_file(dict(list(tensors.items())[1:]), folder / "model.safetensors", metadata={"format": "pt"})
    encoders = [{"name": "cut", "encoder": "tiny", "folder": str(folder)}]
    with pytest.raises(InputError, match="missing"):
        run(recipe(class_folders(tmp_path / "set"), encoders=encoders), tmp_path / "out")


def test_an_encoder_of_another_size_than_the_protocols_is_refused(tmp_path):
    protocol = {**QUICK, "resize": {"image_px": 224}}
    with pytest.raises(InputError, match="another size than the protocol shows"):
        run(recipe(class_folders(tmp_path / "set"), protocol=protocol), tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probes": ["liner"]}, "unknown probe 'liner'"),
        ({"encoders": [{"name": "a", "encoder": "clipp"}]}, "unknown"),
        ({"encoders": [{"name": "a", "encoder": "tiny"}] * 2}, "must differ in their names"),
        ({"protocol": {"seeds": [1, 2]}}, "seeds"),
        ({"protocol": {"knn": {"kk": 3}}}, "unknown key"),
        ({"protocl": {}}, "unknown key 'protocl'"),
    ],
)
def test_a_wrong_recipe_is_refused_before_anything_is_read(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        transfer.parse(recipe(tmp_path, **change))

"""Extractors by folder: unavailable with a reason, checked, run once a text, cached by text and weights."""

import json

import numpy as np
import pytest
import torch

from osler.core.errors import InputError
from osler.core.files import sha256_file
from osler.schema.sample import passage
from osler.scoring.report_metrics import chexbert_model, extract
from osler.scoring.report_metrics.cache import ExtractionCache
from osler.scoring.report_metrics.convert import convert_checkpoint
from osler.scoring.report_metrics.extract import Extractors
from osler.scoring.report_metrics.weights import read_folder
from osler.scoring.scorer import load_metric
from tiny_models import save_chexbert

NEEDED = extract.KINDS["chexbert"].needed


@pytest.fixture
def folder(tmp_path):
    save_chexbert(tmp_path / "chexbert")
    return tmp_path / "chexbert"


@pytest.fixture
def calls(monkeypatch):
    """The batches that the model was asked for."""
    seen = []
    load = chexbert_model.load

    def counting(folder, device):
        run = load(folder, device)
        return lambda texts: seen.append(list(texts)) or run(texts)

    monkeypatch.setattr(chexbert_model, "load", counting)
    return seen


def test_each_reason_names_the_recipe_key_and_the_path(tmp_path, folder):
    assert Extractors({}).reason("radgraph") == "recipe key metric_weights.radgraph is not set"
    gone = Extractors({"chexbert": tmp_path / "gone"}).reason("chexbert")
    assert gone == f"metric_weights.chexbert: {tmp_path / 'gone'} is no folder"
    assert Extractors({"chexbert": folder}).reason("chexbert") == ""
    (folder / "tokenizer.json").unlink()
    assert "tokenizer.json is missing" in Extractors({"chexbert": folder}).reason("chexbert")
    with pytest.raises(InputError, match=r"unavailable.*tokenizer.json"):
        Extractors({"chexbert": folder}).value("chexbert", "x")


def test_a_pickle_is_named_and_not_read(folder):
    (folder / "model.safetensors").rename(folder / "chexbert.pth")
    reason = Extractors({"chexbert": folder}).reason("chexbert")
    assert "chexbert.pth is a pickle and is not read" in reason and "report-metrics.md" in reason


def test_an_unknown_key_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"metric_weights.radgraf.*'radgraph'"):
        Extractors({"radgraf": "x"})


def test_a_file_that_is_not_the_manifests_is_refused(folder):
    path = folder / "weights.json"
    path.write_text(json.dumps({"model.safetensors": sha256_file(folder / "model.safetensors")}))
    assert read_folder(folder, NEEDED).files["config.json"]
    path.write_text(json.dumps({"model.safetensors": "0" * 64}))
    with pytest.raises(InputError, match="not the file of weights.json"):
        read_folder(folder, NEEDED)
    path.write_text(json.dumps({"other.txt": "0" * 64}))
    with pytest.raises(InputError, match="no such file"):
        read_folder(folder, NEEDED)


def test_a_text_is_looked_at_once_and_kept_over_runs(folder, tmp_path, calls):
    cache = tmp_path / "extractions.sqlite"
    first = Extractors({"chexbert": folder}, cache=cache)
    first.fetch("chexbert", ["heart wide", "edema", "heart wide"])
    value = first.value("chexbert", "edema")
    first.close()
    assert calls == [["edema", "heart wide"]]
    again = Extractors({"chexbert": folder}, cache=cache)
    again.fetch("chexbert", ["edema", "heart wide"])
    kept = again.value("chexbert", "edema")
    assert len(calls) == 1 and kept["labels"] == value["labels"]
    assert np.array_equal(kept["vector"], value["vector"]) and kept["vector"].dtype == np.float32
    again.fetch("chexbert", ["lung"])
    assert calls[1:] == [["lung"]]


def test_other_weights_look_again(folder, tmp_path, calls):
    cache = tmp_path / "extractions.sqlite"
    Extractors({"chexbert": folder}, cache=cache).fetch("chexbert", ["edema"])
    before = Extractors({"chexbert": folder}).identity("chexbert")
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")
    other = Extractors({"chexbert": folder}, cache=cache)
    other.fetch("chexbert", ["edema"])
    assert len(calls) == 2 and other.identity("chexbert") != before


def test_batches_are_kept_as_they_come(folder, tmp_path, monkeypatch):
    cache = tmp_path / "extractions.sqlite"
    load = chexbert_model.load

    def failing(folder, device):
        run, count = load(folder, device), []

        def one(texts):
            count.append(1)
            if len(count) == 2:
                raise RuntimeError("cut")
            return run(texts)

        return one

    texts = [f"{'heart ' * n}" for n in range(1, 41)]
    monkeypatch.setattr(chexbert_model, "load", failing)
    with pytest.raises(RuntimeError, match="cut"):
        Extractors({"chexbert": folder}, cache=cache).fetch("chexbert", texts)
    seen = []
    monkeypatch.setattr(chexbert_model, "load", lambda *a: lambda t: seen.append(len(t)) or load(*a)(t))
    Extractors({"chexbert": folder}, cache=cache).fetch("chexbert", texts)
    assert seen == [8]


def test_the_manifest_names_every_file(folder):
    manifest = Extractors({"chexbert": folder, "radgraph": folder}).manifest()
    assert list(manifest) == ["chexbert"] and set(NEEDED) <= set(manifest["chexbert"]["files"])
    assert manifest["chexbert"]["sha256"].startswith(Extractors({"chexbert": folder}).identity("chexbert"))


def test_a_metric_is_scored_from_its_folder_in_one_pass(folder, calls):
    extractors = Extractors({"chexbert": folder})
    pairs = [
        ("The heart is wide.", passage("No edema.")),
        (None, passage("Clear.")),
        ("No edema.", passage("No edema.")),
    ]
    metric = load_metric("chexbert_f1").bound(extractors, pairs)
    assert len(calls) == 1 and sorted(calls[0]) == ["No edema.", "The heart is wide."]
    assert metric.score(*pairs[2]) == 1.0 and metric.score(*pairs[1]) == 0.0
    assert 0.0 <= metric.aggregate(pairs) <= 1.0
    assert f"weights:chexbert={extractors.identity('chexbert')}" in metric.signature
    assert load_metric("radcliq").reason(extractors).count("metric_weights") == 2


def test_a_file_that_is_no_cache_is_refused(tmp_path):
    path = tmp_path / "extractions.sqlite"
    path.write_text("words " * 100)
    with pytest.raises(InputError, match="no cache of extractions"):
        ExtractionCache(path)


def test_odd_texts_have_keys_of_their_own(tmp_path):
    cache = ExtractionCache(tmp_path / "c.sqlite")
    texts = ["", "\ud800", "\x00", "肺", "a" * 100_000]
    cache.put("x", "w", [(text, {"n": n}) for n, text in enumerate(texts)])
    assert [cache.get("x", "w", text)["n"] for text in texts] == [0, 1, 2, 3, 4]
    assert cache.get("x", "v", "") is None
    cache.close()


class Evil:
    def __reduce__(self):
        return print, ("ran",)


def test_a_checkpoint_is_converted_without_running_what_it_names(tmp_path, folder, capsys):
    from safetensors.torch import load_file

    state = load_file(folder / "model.safetensors")
    torch.save({"model_state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3}, tmp_path / "c.pth")
    assert convert_checkpoint(tmp_path / "c.pth", tmp_path / "new" / "model.safetensors") == len(state)
    assert all(torch.equal(v, state[k]) for k, v in load_file(tmp_path / "new" / "model.safetensors").items())
    torch.save({"w": Evil()}, tmp_path / "evil.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "words.pth").write_text("words")
    for name in ("evil", "list", "words"):
        with pytest.raises(InputError, match=name):
            convert_checkpoint(tmp_path / f"{name}.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists() and "ran" not in capsys.readouterr().out

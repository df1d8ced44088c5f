"""`osler train` on the stage `contrast`: it runs, resumes bit by bit, locks what it is told to and refuses the rest."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from osler.core.catalog import DUALS
from osler.core.errors import InputError
from osler.core.log import Log
from osler.model import dual
from osler.model.encoder import open_encoder
from osler.train import trainer
from osler.train.contrast import Contrast
from osler.train.pretrain import param_groups
from osler.train.run import inputs, parse, run

LOG = Log(quiet=True)


def recipe(store_folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "stage": "contrast",
        "model": {"dual": "tiny"},
        "data": [{"shards": str(store_folder), "tasks": {"toy_caption": 1}}],
        "schedule": {"steps": 4, "log_every": 1, "checkpoint_every": 2},
        "pairs_per_step": 4,
        "report_to": [],
        **changes,
    }


def trained(store_folder: Path, out: Path, **changes: Any) -> Path:
    run(parse(recipe(store_folder, **changes)), out, device="cpu", log=LOG)
    return out / "model"


def weights(model: Path) -> dict[str, torch.Tensor]:
    return load_file(model / "model.safetensors")


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}


def test_a_killed_run_ends_with_the_same_bytes(
    store_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(store_folder, tmp_path / "whole", chunk_pairs=2, min_crop=0.5)

    class Killed(BaseException):
        pass

    class Killer(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == 3:
                raise Killed

    plain = trainer._callbacks
    monkeypatch.setattr(trainer, "_callbacks", lambda *given: [*plain(*given), Killer()])
    with pytest.raises(Killed):
        trained(store_folder, tmp_path / "cut", chunk_pairs=2, min_crop=0.5)
    monkeypatch.setattr(trainer, "_callbacks", plain)
    cut = trained(store_folder, tmp_path / "cut", chunk_pairs=2, min_crop=0.5)
    for name in ("model.safetensors", "config.json", "tokenizer.json", "preprocessor_config.json"):
        assert (whole / name).read_bytes() == (cut / name).read_bytes()
    assert entries(tmp_path / "whole") == entries(tmp_path / "cut")


def entries(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "loss" in line]


def test_what_it_leaves_behind(store_folder: Path, tmp_path: Path) -> None:
    model = trained(store_folder, tmp_path)
    encoder = open_encoder("osler", model)
    assert encoder.texts_joint(["a bright blob"]).shape == (1, 64)
    account = json.loads((tmp_path / "pairs.json").read_text())
    assert account["pairs"] == 16
    (source,) = account["sources"]
    assert (source["samples"], source["records_left_out"]) == (12, {"no_picture": 0, "no_words": 0})
    entry = entries(tmp_path)[-1]
    assert entry.keys() >= {"loss", "grad_norm", "image_to_text", "text_to_image", "logit_scale", "learning_rate"}
    assert len(entries(tmp_path)) == 4


@pytest.mark.parametrize(
    ("rates", "learned"),
    [
        ({"vision_lr": None}, {"text_model", "text_projection", "visual_projection", "logit_scale"}),
        ({"text_lr": None}, {"vision_model", "text_projection", "visual_projection", "logit_scale"}),
        ({}, {"vision_model", "text_model", "text_projection", "visual_projection", "logit_scale"}),
    ],
)
def test_a_tower_without_a_rate_is_locked(
    rates: dict[str, Any], learned: set[str], store_folder: Path, tmp_path: Path
) -> None:
    start = trained(store_folder, tmp_path / "start")
    after = trained(store_folder, tmp_path / "after", model={"folder": str(start)}, **rates)
    assert moved(weights(start), weights(after)) == learned


def test_it_goes_on_from_a_folder_without_a_new_temperature(store_folder: Path, tmp_path: Path) -> None:
    pair = DUALS.load("tiny").build(["a bright blob"] * 5, seed=0)
    pair.model.logit_scale.data.fill_(3.0)
    pair.model.config.logit_bias = -4.0
    dual.save(pair, tmp_path / "start")
    model = {"folder": str(tmp_path / "start")}
    config = parse(recipe(store_folder, model=model))
    assert tmp_path / "start" in inputs(config)
    after = trained(store_folder, tmp_path / "after", model=model, loss="sigmoid", head_lr=1e-4)
    encoder = open_encoder("osler", after)
    assert encoder.logit_scale == pytest.approx(20.1, rel=0.02)
    assert encoder.logit_bias == pytest.approx(-4.0, abs=0.01)
    assert encoder.logit_bias != -4.0


@pytest.mark.parametrize(("name", "place"), [("tiny", "config.json"), ("tiny_siglip", "model.safetensors")])
def test_the_sigmoid_loss_learns_its_bias(name: str, place: str, store_folder: Path, tmp_path: Path) -> None:
    model = trained(store_folder, tmp_path, model={"dual": name}, loss="sigmoid")
    if place == "config.json":
        found = json.loads((model / place).read_text())["logit_bias"]
    else:
        found = weights(model)["logit_bias"].item()
    assert found != -10.0
    assert found == pytest.approx(-10.0, abs=0.1)


def test_siglip_under_infonce_leaves_the_bias_alone(store_folder: Path, tmp_path: Path) -> None:
    pair = DUALS.load("tiny_siglip").build(["a"], seed=0)
    groups = param_groups(
        Contrast(pair, loss="infonce"), dict.fromkeys(("vision", "text", "head"), 1e-3), weight_decay=0.1
    )
    assert not pair.model.logit_bias.requires_grad
    assert {(group["name"], group["weight_decay"]) for group in groups} == {
        (part, decay) for part in ("vision", "text") for decay in (0.0, 0.1)
    } | {("head", 0.0)}


def test_the_vision_tower_may_come_from_another_model(store_folder: Path, tmp_path: Path) -> None:
    start = trained(store_folder, tmp_path / "start")
    model = {"dual": "tiny", "vision": str(start)}
    after = trained(store_folder, tmp_path / "after", model=model, vision_lr=None)
    assert open_encoder("osler", start).weights_sha256 == open_encoder("osler", after).weights_sha256
    model = {"vision": str(start), "text": str(start), "joint_width": 16}
    joined = trained(store_folder, tmp_path / "joined", model=model, schedule={"steps": 1, "checkpoint_every": 1})
    assert weights(joined)["visual_projection.weight"].shape == (16, 128)


def test_layers_may_be_computed_again(store_folder: Path, tmp_path: Path) -> None:
    full = {"steps": 2, "log_every": 1, "checkpointing": "full"}
    plain = {"steps": 2, "log_every": 1}
    first, second = (
        weights(trained(store_folder, tmp_path / name, schedule=each, chunk_pairs=2))
        for name, each in (("full", full), ("plain", plain))
    )
    for name in first:
        torch.testing.assert_close(first[name], second[name], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {}}, "model takes folder, or dual, or dual and vision, or vision and text"),
        ({"model": {"dual": "tiny", "folder": "x"}}, "model takes folder, or dual"),
        ({"model": {"dual": "tinny"}}, "unknown pair of towers 'tinny'.*Did you mean 'tiny'"),
        ({"model": {"folder": "nowhere"}}, "cannot read nowhere"),
        ({"schedule": {"steps": 1, "gradient_accumulation": 2}}, "set chunk_pairs instead"),
        ({"parallel": {"engine": "fsdp2"}}, "parallel.engine is none or ddp"),
        ({"loss": "triplet"}, "loss.*'infonce' or 'sigmoid'"),
        ({"texts": []}, "texts"),
        ({"schedule": {"steps": 1, "eval_every": 1}}, "eval_every needs samples to score"),
        ({"model": {"folder": "x"}, "vision_lr": None, "text_lr": None}, "both towers of a trained pair are locked"),
        ({"min_crop": 0}, "min_crop"),
    ],
)
def test_what_is_wrong_is_refused(changes: dict[str, Any], message: str, store_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        trained(store_folder, tmp_path, **changes)


def test_words_without_pictures_are_refused(store_folder: Path, tmp_path: Path) -> None:
    data = [{"shards": str(store_folder), "withhold_images": True}]
    with pytest.raises(InputError, match="withhold_images leaves nothing to compare"):
        trained(store_folder, tmp_path, data=data)
    with pytest.raises(InputError, match="no record of .* has a picture with words; expected samples with caption"):
        trained(store_folder, tmp_path, data=[{"shards": str(store_folder), "tasks": {"toy_side": 1}}])
    trained(
        store_folder, tmp_path, data=[{"shards": str(store_folder), "tasks": {"toy_side": 1}}], texts=["answer"],
        schedule={"steps": 1},
    )  # fmt: skip

"""`osler train`: stages run, resume bit by bit, and refuse what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from osler.core.errors import InputError, OslerError
from osler.core.log import Log
from osler.train import trainer
from osler.train.callbacks import last_whole_checkpoint
from osler.train.run import inputs, parse, run

LOG = Log(quiet=True)


def recipe(store_folder: Path, stage: str, **changes: Any) -> dict[str, Any]:
    rates = {} if stage == "warm_tower" else {"projector_lr": 1e-3, "lm_lr": 1e-3, "vision_lr": 1e-4}
    data = {"shards": str(store_folder)}
    if stage == "warm_tower":
        data |= {"tasks": {"toy_caption": 1}}
    return {
        "stage": stage,
        "model": {"family": "tiny"},
        "data": [data],
        "schedule": {"steps": 4, "log_every": 1, "checkpoint_every": 2},
        **({} if stage == "warm_tower" else {"pack": {"row_tokens": 300, "rows_per_step": 2}}),
        **rates,
        **changes,
    }


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "model" / "model.safetensors")


@pytest.mark.parametrize("stage", ["warm_tower", "instruct"])
def test_a_killed_run_ends_with_the_same_bytes(
    stage: str, store_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = parse(recipe(store_folder, stage))
    run(config, tmp_path / "whole", device="cpu", log=LOG)

    class Killed(BaseException):
        pass

    class Killer(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == 3:
                raise Killed

    plain = trainer._callbacks
    monkeypatch.setattr(trainer, "_callbacks", lambda out, log: [*plain(out, log), Killer()])
    with pytest.raises(Killed):
        run(config, tmp_path / "cut", device="cpu", log=LOG)
    monkeypatch.setattr(trainer, "_callbacks", plain)
    assert last_whole_checkpoint(tmp_path / "cut" / "checkpoints").name == "checkpoint-2"
    run(config, tmp_path / "cut", device="cpu", log=LOG)

    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    assert losses(tmp_path / "whole") == losses(tmp_path / "cut")


def losses(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


def test_a_torn_checkpoint_is_not_used(tmp_path: Path) -> None:
    for step, is_whole in ((2, True), (4, False)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if is_whole:
            (tmp_path / f"checkpoint-{step}" / "whole.json").write_text("{}")
    assert last_whole_checkpoint(tmp_path).name == "checkpoint-2"
    assert not (tmp_path / "checkpoint-4").exists()


def test_stages_chain_and_alignment_moves_the_projector_alone(store_folder: Path, tmp_path: Path) -> None:
    run(parse(recipe(store_folder, "warm_tower")), tmp_path / "warm", device="cpu", log=LOG)
    start = {"folder": str(tmp_path / "warm" / "model")}
    changes = {"model": start, "vision_lr": None, "lm_lr": None}
    config = parse(recipe(store_folder, "align", **changes))
    assert tmp_path / "warm" / "model" in inputs(config)
    run(config, tmp_path / "align", device="cpu", log=LOG)
    before, after = weights(tmp_path / "warm"), weights(tmp_path / "align")
    moved = {name.split(".")[1] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"multi_modal_projector"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vison_lr": 1}, "unknown key 'vison_lr'.*Did you mean 'vision_lr'"),
        ({"stage": "aline"}, "unknown stage 'aline'.*Did you mean 'align'"),
        ({"schedule": {"step": 4}}, "unknown key 'schedule.step'.*Did you mean 'steps'"),
        ({"lm_lr": -1}, "lm_lr.*got -1"),
    ],
)
def test_wrong_recipes_are_refused(store_folder: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="(?s)" + message):
        parse({**recipe(store_folder, "instruct"), **changes})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"split": "validation"}, "no split 'validation'"),
        ({"tasks": {"toy_sid": 1}}, "toy_side"),
        ({"shards": "nowhere"}, "nowhere.*expected a folder"),
    ],
)
def test_wrong_data_is_refused(store_folder: Path, tmp_path: Path, data: dict[str, Any], message: str) -> None:
    changed = recipe(store_folder, "instruct")
    changed["data"] = [{"shards": str(store_folder), **data}]
    with pytest.raises(InputError, match=message):
        run(parse(changed), tmp_path, device="cpu", log=LOG)


def test_a_start_is_needed(store_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="either 'folder' or 'family'"):
        run(parse(recipe(store_folder, "instruct", model={})), tmp_path, device="cpu", log=LOG)


def test_a_loss_that_is_not_finite_stops_the_run(store_folder: Path, tmp_path: Path) -> None:
    config = parse(recipe(store_folder, "instruct", lm_lr=1e30))
    with pytest.raises(OslerError, match="no longer finite"):
        run(config, tmp_path, device="cpu", log=LOG)

"""`osler train`: stages run, resume bit by bit, and refuse what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

import published
from osler.core.catalog import FAMILIES, Catalog
from osler.core.errors import InputError, OslerError
from osler.core.log import Log
from osler.model import checkpoint
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
        "report_to": [],
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
    monkeypatch.setattr(trainer, "_callbacks", lambda *given: [*plain(*given), Killer()])
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
        ({"parallel": {"engine": "fsdp"}}, "parallel.engine.*'none', 'ddp', 'zero3' or 'fsdp2'.*got 'fsdp'"),
        ({"model": {"lora": {"targets": []}}}, "model.lora.targets"),
        ({"schedule": {"steps": 4, "early_stop": {"patience": 2}}}, "early_stop needs keep_best"),
        ({"schedule": {"steps": 4, "eval_every": 3, "keep_best": {}}}, "eval_every equal to checkpoint_every"),
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


def test_the_best_checkpoint_is_what_is_kept_and_a_worse_run_stops_early(store_folder: Path, tmp_path: Path) -> None:
    """At a rate that ruins the model, the first evaluation is the best one."""
    watch = {"eval_every": 1, "eval_rows": 2, "keep_best": {"metric": "eval_loss"}, "early_stop": {"patience": 2}}
    schedule = {"steps": 8, "log_every": 1, "checkpoint_every": 1, "warmup_ratio": 0.13, "router_aux_coef": 0.0}
    changes = {"lm_lr": 0.3, "projector_lr": 0.3, "schedule": {**schedule, **watch}}
    config = parse(
        recipe(store_folder, "instruct", eval_data=[{"shards": str(store_folder), "split": "test"}], **changes)
    )
    run(config, tmp_path, device="cpu", log=LOG)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    scored = {line["step"]: line["eval_loss"] for line in lines if "eval_loss" in line}
    best = min(scored, key=lambda step: scored[step])
    assert max(scored) == best + 2 < 8
    kept = load_file(tmp_path / "checkpoints" / f"checkpoint-{best}" / "model.safetensors")
    assert all(torch.equal(kept[name], each) for name, each in weights(tmp_path).items())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"eval_data": [{"shards": "x"}]}, "eval_data is never scored"),
        ({"schedule": {"steps": 1, "eval_every": 1}}, "eval_every needs samples"),
    ],
)
def test_half_an_evaluation_is_refused(
    store_folder: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run(parse(recipe(store_folder, "instruct", **changes)), tmp_path, device="cpu", log=LOG)


def test_curves_are_written_for_tensorboard(store_folder: Path, tmp_path: Path) -> None:
    config = parse(recipe(store_folder, "instruct", schedule={"steps": 1}, report_to=["tensorboard"]))
    run(config, tmp_path, device="cpu", log=LOG)
    assert list((tmp_path / "logs").glob("events.out.tfevents.*"))


def test_a_log_entry_is_closed_before_a_checkpoint(store_folder: Path, tmp_path: Path) -> None:
    """What an entry averages over would be lost with the process."""
    config = parse(recipe(store_folder, "instruct", schedule={"steps": 4, "log_every": 3, "checkpoint_every": 2}))
    run(config, tmp_path, device="cpu", log=LOG)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [2, 3, 4]


def test_recomputed_layers_train_to_the_same_weights(store_folder: Path, tmp_path: Path) -> None:
    for checkpointing in ("none", "full"):
        schedule = {"steps": 2, "checkpointing": checkpointing}
        run(parse(recipe(store_folder, "instruct", schedule=schedule)), tmp_path / checkpointing, device="cpu", log=LOG)
    plain, recomputed = weights(tmp_path / "none"), weights(tmp_path / "full")
    for name in plain:
        torch.testing.assert_close(plain[name], recomputed[name], atol=1e-5, rtol=0, msg=name)


def test_a_family_is_built_from_its_parts_and_aligned(
    store_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = FAMILIES.load("medgpt_oss_20b").miniature()
    published.tower(family, tmp_path / "clip")
    published.language_model(family, tmp_path / "gpt")
    monkeypatch.setattr(Catalog, "load", lambda catalog, name: family if catalog is FAMILIES else plain(catalog, name))
    folders = {"vision": str(tmp_path / "clip"), "language": str(tmp_path / "gpt")}
    model = {"family": "medgpt_oss_20b", "parts": folders, "dtype": "float32"}
    config = parse(recipe(store_folder, "align", model=model, vision_lr=None, lm_lr=None))
    assert tmp_path / "clip" in inputs(config) and tmp_path / "gpt" in inputs(config)
    run(config, tmp_path / "out", device="cpu", log=LOG)
    trained, tower = weights(tmp_path / "out"), load_file(tmp_path / "clip" / "model.safetensors")
    assert torch.equal(
        trained["model.vision_tower.embeddings.patch_embedding.weight"],
        next(weight for name, weight in tower.items() if name.endswith("patch_embedding.weight")),
    )
    reloaded, _ = checkpoint.load(tmp_path / "out" / "model")
    assert reloaded.config.text_config.num_local_experts == family.text_config(1, 0, 0).num_local_experts


plain = Catalog.load

LORA = {"rank": 4, "alpha": 8.0, "targets": ["q_proj", "v_proj"]}


def test_adapters_learn_alone_and_end_up_merged(
    store_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(parse(recipe(store_folder, "align")), tmp_path / "start", device="cpu", log=LOG)
    start = {"folder": str(tmp_path / "start" / "model"), "lora": LORA}
    config = parse(recipe(store_folder, "instruct", model=start, vision_lr=None, projector_lr=None))
    run(config, tmp_path / "whole", device="cpu", log=LOG)
    before, after = weights(tmp_path / "start"), weights(tmp_path / "whole")
    assert before.keys() == after.keys()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved and all(name.endswith(("q_proj.weight", "v_proj.weight")) and "language" in name for name in moved)

    short = parse(recipe(store_folder, "instruct", model=start, vision_lr=None, projector_lr=None))
    monkeypatch.setattr(trainer, "train_on", _killed_after(2))
    with pytest.raises(KeyboardInterrupt):
        run(short, tmp_path / "cut", device="cpu", log=LOG)
    monkeypatch.undo()
    run(short, tmp_path / "cut", device="cpu", log=LOG)
    assert all(torch.equal(after[name], weight) for name, weight in weights(tmp_path / "cut").items())


def _killed_after(step: int) -> Any:
    class Killer(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == step:
                raise KeyboardInterrupt

    plain = trainer.train_on

    def train(given: Any, out: Path) -> None:
        given.add_callback(Killer())
        plain(given, out)

    return train


@pytest.mark.parametrize("engine", ["zero3", "fsdp2"])
def test_adapters_on_a_sharded_model_are_refused(store_folder: Path, tmp_path: Path, engine: str) -> None:
    model = {"family": "tiny", "lora": LORA}
    config = parse(recipe(store_folder, "instruct", model=model, parallel={"engine": engine}))
    with pytest.raises(InputError, match="parallel.engine=ddp|torchrun"):
        run(config, tmp_path, device="cpu", log=LOG)


def test_rows_under_two_budgets_are_reported(store_folder: Path, tmp_path: Path) -> None:
    pack = {"row_tokens": 300, "row_tiles": 4, "rows_per_step": 2, "order": "best_fit", "loss_weight": "sqrt"}
    run(parse(recipe(store_folder, "instruct", pack=pack)), tmp_path, device="cpu", log=LOG)
    report = json.loads((tmp_path / "pack.json").read_text())
    assert (report["row_tiles"], report["order"], report["rows"]) == (4, "best_fit", 8)
    assert 0 < report["fill_tokens"] <= 1 and 0 < report["fill_tiles"] <= 1
    (source,) = report["sources"]
    assert source["samples"] > 0
    entries = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    steps = [entry for entry in entries if "loss" in entry]
    assert all(entry["tokens_per_s"] > 0 and entry["memory_gib"] > 0 for entry in steps)
    assert all(entry["mfu"] is None for entry in steps)  # nobody knows this machine's peak
    assert all(entry[f"loss/{source['name']}"] > 0 for entry in steps)


def test_overlong_samples_are_cut_and_counted(store_folder: Path, tmp_path: Path) -> None:
    pack = {"row_tokens": 70, "rows_per_step": 2, "overlong": "cut"}
    run(parse(recipe(store_folder, "instruct", pack=pack)), tmp_path, device="cpu", log=LOG)
    report = json.loads((tmp_path / "pack.json").read_text())
    assert report["overlong"]["rule"] == "cut" and report["overlong"]["samples"] > 0


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"family": "tiny", "attention": {"text_config": "sdpa", "vision_config": "sdpa"}}, "no sinks"),
        ({"family": "tiny", "lora": LORA | {"targets": ["q_porj"]}}, "q_porj.*Did you mean 'q_proj'"),
        ({"family": "tiny", "parts": {"vision": "no", "language": "no"}}, "no"),
        ({"folder": "F", "vision_feature_layer": -2}, "model.vision_feature_layer builds a family"),
    ],
)
def test_a_start_that_cannot_be_is_refused(
    store_folder: Path, tmp_path: Path, model: dict[str, Any], message: str
) -> None:
    if model.get("folder") == "F":
        model = model | {"folder": str(tmp_path)}
    with pytest.raises(InputError, match="(?s)" + message):
        run(parse(recipe(store_folder, "instruct", model=model)), tmp_path / "out", device="cpu", log=LOG)


def test_half_precision_weights_are_kept_as_they_are(store_folder: Path, tmp_path: Path) -> None:
    model = {"family": "tiny", "dtype": "bfloat16", "lora": LORA}
    config = parse(recipe(store_folder, "instruct", model=model, vision_lr=None, projector_lr=None))
    run(config, tmp_path, device="cpu", log=LOG)
    assert {weight.dtype for weight in weights(tmp_path).values()} == {torch.bfloat16}


@pytest.mark.parametrize("attention", ["auto", {"text_config": "auto", "vision_config": "sdpa"}])
def test_auto_says_what_it_took_and_trains_to_the_same_weights(
    store_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], attention: Any
) -> None:
    for name, model in (("auto", {"attention": attention, "experts": "auto"}), ("plain", {})):
        given = recipe(store_folder, "instruct", model={"family": "tiny", **model})
        run(parse(given), tmp_path / name, device="cpu", log=Log())
        said = "auto: attention of text_config eager, vision_config sdpa; experts eager"
        assert (said in capsys.readouterr().err) == (name == "auto")
    plain = weights(tmp_path / "plain")
    assert all(torch.equal(tensor, plain[key]) for key, tensor in weights(tmp_path / "auto").items())
    with pytest.raises(InputError, match="attention"):
        parse(recipe(store_folder, "instruct", model={"family": "tiny", "attention": "eager"}))

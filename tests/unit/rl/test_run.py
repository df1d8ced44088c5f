"""`osler rl`: every method runs, a killed run ends with the same bytes, and what is wrong is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from osler.core.errors import InputError
from osler.core.log import Log
from osler.rl.course import Course
from osler.rl.preference import Pair, write_pairs
from osler.rl.run import inputs, parse, run
from osler.store.reader import Store

LOG = Log(quiet=True)


def recipe(method: str, store: Store, folder: Path, **changes: Any) -> dict[str, Any]:
    data = [{"shards": str(store.folder), "tasks": {"toy_side": 1, "toy_choice": 1}}]
    schedule = {"steps": 4, "log_every": 1, "checkpoint_every": 2}
    base = {"method": method, "model": {"folder": str(folder)}, "data": data}
    if method in {"grpo", "rejection"}:
        base |= {
            "rewards": {"answer_correct": 1.0, "format": 0.2},
            "rollout": {"prompts_per_step": 2, "replies_per_prompt": 2, "max_new_tokens": 4},
            "num_prompts": 6,
        }
    if method != "rejection":
        base |= {"schedule": schedule, "report_to": [], "projector_lr": 1e-3, "lm_lr": 1e-3}
    return {**base, **changes}


@pytest.fixture(scope="module")
def taught(store: Store, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has the form of an answer; the control taught it."""
    out = tmp_path_factory.mktemp("taught")
    many = {"steps": 60, "log_every": 60, "checkpoint_every": 60}
    config = parse(recipe("supervised", store, folder, schedule=many, prompts_per_step=4, lm_lr=5e-3))
    run(config, out, device="cpu", log=LOG)
    return out / "model"


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "model" / "model.safetensors")


def entries(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


class Killed(BaseException):
    pass


class Killer(TrainerCallback):
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 3:
            raise Killed


def killed_then_resumed(config: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Course.callbacks
    monkeypatch.setattr(Course, "callbacks", lambda self: [*plain(self), Killer()])
    with pytest.raises(Killed):
        run(config, folder, device="cpu", log=LOG)
    monkeypatch.setattr(Course, "callbacks", plain)
    run(config, folder, device="cpu", log=LOG)


@pytest.mark.parametrize(
    "changes",
    [
        {"vision_lr": 1e-4},
        {"schedule": {"steps": 4, "log_every": 1, "checkpoint_every": 2, "gradient_accumulation": 2}},
        {"loss": {"updates_per_rollout": 2}, "schedule": {"steps": 4, "log_every": 1, "checkpoint_every": 2}},
    ],
    ids=["tower", "accumulation", "reused"],
)
def test_a_killed_run_ends_with_the_same_bytes(
    changes: dict[str, Any], store: Store, taught: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = {"prompts_per_step": 2, "replies_per_prompt": 4, "max_new_tokens": 8, "temperature": 1.5}
    config = parse(recipe("grpo", store, taught, rollout=rollout, **changes))
    run(config, tmp_path / "whole", device="cpu", log=LOG)
    killed_then_resumed(config, tmp_path / "cut", monkeypatch)
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    start = load_file(taught / "model.safetensors")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    assert any(not torch.equal(whole[name], start[name]) for name in whole)
    kept = ("reward", "kl", "entropy", "parse_rate", "completions/mean_length")
    found = [[{key: entry[key] for key in kept} for entry in entries(out) if "reward" in entry]
             for out in (tmp_path / "whole", tmp_path / "cut")]  # fmt: skip
    assert found[0] == found[1] and len(found[0]) == 4 // changes.get("loss", {}).get("updates_per_rollout", 1)
    assert any(0 < entry["reward"] < 1 for entry in found[0]), "there was something to learn"


def test_the_log_says_what_replies_are_like_and_evaluations_keep_the_best(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    schedule = {
        "steps": 4, "log_every": 2, "checkpoint_every": 2, "eval_every": 2, "eval_rows": 4,
        "keep_best": {"metric": "eval_accuracy", "mode": "max"},
    }  # fmt: skip
    held_out = [{"shards": str(store.folder), "split": "test", "tasks": {"toy_side": 1}}]
    config = parse(recipe("grpo", store, folder, schedule=schedule, eval_data=held_out))
    outcome = run(config, tmp_path, device="cpu", log=LOG)
    found = entries(tmp_path)
    train = next(entry for entry in found if "reward" in entry)
    assert {"parse_rate", "same_reply", "unjudged", "rewards/answer_correct", "rewards/format", "kl"} <= train.keys()
    assert [entry["step"] for entry in found if "eval_accuracy" in entry] == [2, 4]
    assert outcome.counts == {"steps": 4, "questions": 6, "asked": 8, "replies": 16}
    attempts = json.loads((tmp_path / "attempts.json").read_text())
    assert len(attempts) >= 8 and not any(row["pays"] for row in attempts)


def test_adapters_learn_beside_the_start_they_are_held_to(store: Store, folder: Path, tmp_path: Path) -> None:
    model = {"folder": str(folder), "lora": {"rank": 2, "targets": ["q_proj"]}}
    config = parse(recipe("grpo", store, folder, model=model, projector_lr=None, loss={"kl": 0.1}))
    run(config, tmp_path, device="cpu", log=LOG)
    start, end = load_file(folder / "model.safetensors"), weights(tmp_path)
    changed = [name for name in end if not torch.equal(start[name], end[name])]
    assert changed and all("q_proj" in name for name in changed)
    kl = [entry["kl"] for entry in entries(tmp_path) if "kl" in entry]
    assert kl[0] == pytest.approx(0, abs=1e-9) and kl[-1] > 0


def test_without_divergence_no_copy_is_kept(store: Store, folder: Path, tmp_path: Path) -> None:
    run(parse(recipe("grpo", store, folder, loss={"kl": 0})), tmp_path, device="cpu", log=LOG)
    assert "kl" not in entries(tmp_path)[0]


def test_groups_whose_replies_are_all_worth_the_same_are_counted(store: Store, folder: Path, tmp_path: Path) -> None:
    config = parse(recipe("grpo", store, folder, rollout={
        "prompts_per_step": 2, "replies_per_prompt": 2, "max_new_tokens": 1}, loss={"kl": 0}))  # fmt: skip
    run(config, tmp_path, device="cpu", log=LOG)
    found = [entry for entry in entries(tmp_path) if "reward" in entry]
    assert {entry["frac_reward_zero_std"] for entry in found} == {1.0}, "one token is no answer: all are worth 0"
    assert "alarm/frac_reward_zero_std" in found[-1]


def test_the_control_learns_true_answers_and_resumes(
    store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = parse(recipe("supervised", store, folder, num_prompts=6, prompts_per_step=2))
    outcome = run(config, tmp_path / "whole", device="cpu", log=LOG)
    again = run(config, tmp_path / "again", device="cpu", log=LOG)
    whole, same = weights(tmp_path / "whole"), weights(tmp_path / "again")
    assert all(torch.equal(whole[name], same[name]) for name in whole)
    assert outcome.counts == again.counts == {"steps": 4, "questions": 6, "answers": 8}
    losses = [entry["loss"] for entry in entries(tmp_path / "whole") if "loss" in entry]
    assert losses[-1] < losses[0]


def pairs_for(store: Store, path: Path) -> Path:
    rows = store.rows(store.table("train", tasks=["toy_side"]), range(6))
    final = "<|channel|>final<|message|>"
    samples = [store.sample(row) for row in rows]
    write_pairs(
        path,
        [
            Pair(sample_id=sample.id, chosen=f"{final}yes", rejected=f"{final}the blob")
            for sample in samples
        ],
    )  # fmt: skip
    return path


@pytest.mark.parametrize("lora", [None, {"rank": 2, "targets": ["q_proj", "v_proj"]}], ids=["full", "lora"])
def test_pairs_are_told_apart_and_a_killed_run_ends_the_same(
    lora: Any, store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = pairs_for(store, tmp_path / "pairs.jsonl")
    model = {"folder": str(folder)} | ({"lora": lora} if lora else {})
    config = parse(
        recipe("dpo", store, folder, model=model, pairs=[str(pairs)], pairs_per_step=3, projector_lr=None, lm_lr=3e-3)
    )
    run(config, tmp_path / "whole", device="cpu", log=LOG)
    killed_then_resumed(config, tmp_path / "cut", monkeypatch)
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    margins = [entry["rewards/margins"] for entry in entries(tmp_path / "whole") if "rewards/margins" in entry]
    assert margins[0] == pytest.approx(0, abs=1e-4) and margins[-1] > margins[0]
    assert pairs in inputs(config)


def test_rejection_keeps_right_replies_as_samples(store: Store, taught: Path, tmp_path: Path) -> None:
    rollout = {"prompts_per_step": 4, "replies_per_prompt": 4, "max_new_tokens": 8}
    settings = {"rollout": rollout, "min_reward": 1.0, "num_prompts": 12}
    config = parse(recipe("rejection", store, taught, **settings))
    outcome = run(config, tmp_path / "drawn", device="cpu", log=LOG)
    counts = outcome.counts
    assert counts["samples"] + counts["drops"] == counts["questions"] == 12 and counts["samples"] > 0
    made = Store(tmp_path / "drawn")
    table = made.table("train")
    assert table.num_rows == counts["samples"]
    for row in made.rows(table, range(table.num_rows)):
        sample = made.sample(row)
        assert "rejection-sampled" in sample.tags and len(made.media(row)) == len(sample.media) == 1
    assert len((tmp_path / "drawn" / "pairs.jsonl").read_text().splitlines()) == counts["pairs"]


def test_rejection_draws_no_part_twice(store: Store, folder: Path, tmp_path: Path) -> None:
    config = parse(recipe("rejection", store, folder))
    outcome = run(config, tmp_path / "whole", device="cpu", log=LOG)
    assert outcome.counts["samples"] == 0 and not (tmp_path / "whole" / "shards").exists()
    parts = sorted((tmp_path / "whole" / "replies").iterdir())
    assert len(parts) == 3
    kept = [part.read_bytes() for part in parts]
    parts[1].unlink()
    stamp = parts[0].stat().st_mtime_ns
    run(config, tmp_path / "whole", device="cpu", log=LOG)
    assert [part.read_bytes() for part in parts] == kept and parts[0].stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "ppo"}, "unknown method 'ppo'"),
        ({"rewards": {}}, "rewards"),
        ({"model": {"family": "tiny"}}, "model.folder is missing"),
        ({"rewards": {"report_radgraph": 1}}, "metric_weights.radgraph is not set"),
        ({"rewards": {"grounding": 1}}, "no reward of the recipe can judge its answer|share of num_prompts"),
        ({"rewards": {"format": 1}}, "for true answers"),
        ({"rollout": {"replies_per_prompt": 1}}, "greater than or equal to 2"),
        ({"schedule": {"steps": 4, "gradient_accumulation": 3}}, "multiple of schedule.gradient_accumulation"),
        ({"loss": {"updates_per_rollout": 3}}, "multiple of loss.updates_per_rollout"),
        ({"schedule": {"steps": 4, "eval_every": 2}}, "eval_every and eval_data go together"),
    ],
)
def test_what_is_wrong_is_refused(
    changes: dict[str, Any], words: str, store: Store, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        run(parse({**recipe("grpo", store, folder), **changes}), tmp_path, device="cpu", log=LOG)


def test_a_method_is_asked_for(store: Store, folder: Path) -> None:
    with pytest.raises(InputError, match="'method' is missing"):
        parse({"model": {}})
    config = parse(recipe("grpo", store, folder))
    assert inputs(config) == [folder, store.folder / "shards", store.folder / "index"]

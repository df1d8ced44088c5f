"""Tasks go out to another program, and its replies come back: each once, none lost, none of another question."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from osler.cli.main import main
from osler.core.catalog import HARNESSES
from osler.core.errors import InputError
from osler.evaluation import export_tasks, score
from osler.evaluation.conditions import make_asks
from osler.evaluation.items import load_items
from osler.evaluation.journal import read_predictions
from osler.evaluation.tasks.phantom_choice import TASK
from osler.infer.sampling import Sampling

NAMES = ("phantom_closed", "phantom_choice")


@pytest.fixture
def exported(data, tmp_path, capsys):
    def export(to, **more):
        out = tmp_path / to
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(yaml.safe_dump({"to": to, "tasks": list(NAMES), "data": [str(data)], **more}))
        assert main(["export-tasks", str(recipe), "--out", str(out), "--quiet"]) == 0
        return out

    return export


def items_of(folder):
    return [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]


def right(item):
    gold = item["gold"]
    return "ABC"[gold["options"].index(gold["text"])] if gold["kind"] == "choice" else gold["text"]


def write_logs(folder, harness, replies):
    """Logs in the program's layout with `replies`: (item of items.jsonl, words)."""
    for name in NAMES:
        lines = []
        for item, words in replies:
            known = {
                "osler_id": item["item_id"],
                "osler_task": item["task"],
                "osler_prompt_sha256": item["prompt_sha256"],
            }
            if item["task"] != name:
                continue
            if harness == "lm_eval":
                lines.append({"doc": known, "resps": [[words]], "filtered_resps": [words.strip()], "filter": "none"})
            elif harness == "lmms_eval":
                lines.append({"filtered_resps": words, "token_counts": [{"output_tokens": 1}], "osler_exact": known})
            else:
                choices = [{"message": {"content": words}, "stop_reason": "stop"}]
                lines.append({"id": item["item_id"], "metadata": known, "output": {"choices": choices}})
        stem = {"lm_eval": f"samples_osler_{name}_1.jsonl", "lmms_eval": f"1_samples_osler_{name}.jsonl"}
        path = folder / "LOGS" / stem.get(harness, f"{name}.json")
        path.parent.mkdir(exist_ok=True)
        if harness == "inspect_ai":
            path.write_text(json.dumps({"eval": {"model": "m"}, "samples": lines}))
        else:
            path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder / "LOGS"


def scored(folder, harness, tmp_path, **more):
    recipe = {"harness": harness, "exported": str(folder), "logs": [str(folder / "LOGS")], **more}
    out = tmp_path / f"scored-{len(list(tmp_path.iterdir()))}"
    config = score.parse(recipe)
    score.inputs(config)
    from osler.core.log import Log

    outcome = score.run(config, out, device="cpu", log=Log(quiet=True))
    return out, outcome


@pytest.mark.parametrize("harness", HARNESSES.names())
def test_replies_come_back_and_are_scored_by_the_strict_rules(harness, exported, tmp_path):
    folder = exported(harness)
    items = items_of(folder)
    replies = [(item, right(item) if n % 2 else "The heart is normal") for n, item in enumerate(items)]
    write_logs(folder, harness, replies)
    out, outcome = scored(folder, harness, tmp_path, parsers=["medevalkit"])
    results = {(r["task"], r["metric"]): r for r in json.loads((out / "results.json").read_text())}
    assert results["phantom_closed", "closed_accuracy"]["value"] == 0.5
    assert results["phantom_closed", "closed_accuracy"]["unparsed"] == 16
    assert results["phantom_closed", "closed_accuracy"]["baseline"]["majority"]["value"] is not None
    assert results["phantom_choice", "choice_accuracy"]["value"] == 0.5
    assert outcome.counts["predictions"] == len(items) == 48
    closed = results["phantom_closed", "accuracy[compat:medevalkit]"]
    assert closed["value"] > 0.5 and closed["metric_signature"].startswith("compat:medevalkit|")
    predictions = read_predictions(out / "predictions.jsonl")
    assert [p.raw for p in predictions] == [words for _, words in replies]
    again = score.run(
        score.parse({"predictions": str(out / "predictions.jsonl")}), tmp_path / "again", device="cpu", log=_quiet()
    )
    assert again.counts["read_otherwise"] == 0


def _quiet():
    from osler.core.log import Log

    return Log(quiet=True)


def test_items_are_asked_just_as_osler_eval_asks_them(exported, store):
    folder = exported("inspect_ai")
    items = load_items(TASK, [store])
    sampling = Sampling(max_new_tokens=TASK.max_new_tokens)
    asks = make_asks(items, "image", sampling=sampling, reasoning=TASK.reasoning, seed=0)
    written = [item for item in items_of(folder) if item["task"] == TASK.name]
    assert [item["prompt_sha256"] for item in written] == [ask.prompt_sha256 for ask in asks]
    assert [tuple(item["image_sha256s"]) for item in written] == [ask.image_sha256s for ask in asks]
    samples = json.loads((folder / "osler_phantom_choice.json").read_text())
    picture, words = samples[0]["input"][0]["content"]
    assert words["text"].startswith("What is seen?")
    shown = np.asarray(Image.open(folder / picture["image"]))
    assert shown.shape == (8, 8) and (shown == 0).all()
    assert len(list((folder / "images").glob("*.png"))) == 16


def test_the_same_recipe_gives_the_same_bytes(data, tmp_path):
    config = export_tasks.parse({"to": "lmms_eval", "tasks": list(NAMES), "data": [str(data)]})
    for name in ("a", "b"):
        export_tasks.run(config, tmp_path / name, device="cpu", log=_quiet())
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) > 20
    for path in files:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


BROKEN = {
    "unknown": (lambda item: item | {"item_id": "x"}, "x was not exported"),
    "prompt": (lambda item: item | {"prompt_sha256": "0" * 64}, "asked in other words"),
    "task": (lambda item: item | {"item_id": "test-0-0-q0", "task": "phantom_choice"}, "was not exported"),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("harness", HARNESSES.names())
def test_a_reply_to_another_question_is_refused(case, harness, exported, tmp_path):
    folder = exported(harness)
    change, words = BROKEN[case]
    first, *rest = items_of(folder)
    write_logs(folder, harness, [(change(first), "yes"), *((item, "yes") for item in rest)])
    with pytest.raises(InputError, match=words):
        scored(folder, harness, tmp_path)


@pytest.mark.parametrize("harness", HARNESSES.names())
def test_a_second_reply_is_refused(harness, exported, tmp_path):
    folder = exported(harness)
    items = items_of(folder)
    write_logs(folder, harness, [(item, "yes") for item in [*items, items[3]]])
    with pytest.raises(InputError, match=r"a second reply to phantom_closed .*the first is in"):
        scored(folder, harness, tmp_path)


@pytest.mark.parametrize("harness", HARNESSES.names())
def test_missing_replies_are_refused_or_counted_and_left_out(harness, exported, tmp_path):
    folder = exported(harness)
    items = items_of(folder)
    write_logs(folder, harness, [(item, right(item)) for item in items[2:]])
    with pytest.raises(InputError, match=r"2 of 48 exported questions have no reply.*allow_missing"):
        scored(folder, harness, tmp_path)
    out, outcome = scored(folder, harness, tmp_path, allow_missing=True)
    rows = {row["task"]: row for row in json.loads((out / "results.json").read_text())}
    assert (rows["phantom_closed"]["n"], rows["phantom_closed"]["value"]) == (30, 1.0)
    assert any("2 of 32 answers error, left out of n" in note for note in rows["phantom_closed"]["notes"])
    assert outcome.counts["errors"] == 2


def test_a_log_of_one_task_scores_that_task_alone(exported, tmp_path):
    folder = exported("lm_eval")
    write_logs(folder, "lm_eval", [(item, "A") for item in items_of(folder)])
    (folder / "LOGS" / "samples_osler_phantom_closed_1.jsonl").unlink()
    out, _ = scored(folder, "lm_eval", tmp_path, model_name="mine")
    rows = json.loads((out / "results.json").read_text())
    assert {(row["task"], row["model"]) for row in rows} == {("phantom_choice", "mine")}
    assert any("does not say whether a reply was cut" in note for note in rows[0]["notes"])


def test_a_reply_that_fills_its_tokens_was_cut(exported, tmp_path):
    folder = exported("lmms_eval")
    write_logs(folder, "lmms_eval", [(item, right(item)) for item in items_of(folder)])
    path = folder / "LOGS" / "1_samples_osler_phantom_choice.jsonl"
    path.write_text(path.read_text().replace('"output_tokens": 1', '"output_tokens": 32', 1))
    out, _ = scored(folder, "lmms_eval", tmp_path)
    cut = [p for p in read_predictions(out / "predictions.jsonl") if p.status == "truncated"]
    assert [p.item_id for p in cut] == ["test-0-0-q2"]


def test_recipes_that_cannot_be_are_refused(data, exported, tmp_path):
    with pytest.raises(InputError, match=r"unknown harness 'lm_evall'.*lm_eval"):
        export_tasks.parse({"to": "lm_evall", "tasks": ["phantom_choice"], "data": [str(data)]})
    with pytest.raises(InputError, match="tasks must name each entry once"):
        export_tasks.parse({"to": "lm_eval", "tasks": [], "data": [str(data)]})
    with pytest.raises(InputError, match="which answers"):
        score.parse({})
    with pytest.raises(InputError, match="which answers"):
        score.parse({"predictions": "p", "logs": ["l"]})
    with pytest.raises(InputError, match="logs need exported"):
        score.parse({"logs": ["l"], "harness": "lm_eval"})
    with pytest.raises(InputError, match="unknown parser"):
        score.parse({"predictions": "p", "parsers": ["mmu"]})
    folder = exported("lm_eval")
    (folder / "LOGS").mkdir()
    with pytest.raises(InputError, match=r"holds no log of lm_eval.*samples_osler_"):
        scored(folder, "lm_eval", tmp_path)


def test_exemplars_need_a_program_that_can_show_them(data, tmp_path, monkeypatch):
    from dataclasses import replace

    from osler.evaluation.tasks import phantom_choice

    monkeypatch.setattr(phantom_choice, "TASK", replace(TASK, num_shots=1))
    recipe = {"tasks": ["phantom_choice"], "data": [str(data)]}
    with pytest.raises(InputError, match=r"lm_eval cannot ask .*16 of 16.*inspect_ai"):
        export_tasks.run(export_tasks.parse({"to": "lm_eval", **recipe}), tmp_path / "a", device="cpu", log=_quiet())
    out: Path = tmp_path / "b"
    export_tasks.run(export_tasks.parse({"to": "inspect_ai", **recipe}), out, device="cpu", log=_quiet())
    first = json.loads((out / "osler_phantom_choice.json").read_text())[0]["input"]
    assert [turn["role"] for turn in first] == ["user", "assistant", "user"]
    assert items_of(out)[0]["image_sha256s"][0] != items_of(out)[0]["image_sha256s"][1]

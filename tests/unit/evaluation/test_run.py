"""`osler eval` and `osler score` from recipe to results, with an engine that answers by rule."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from osler.core.errors import InputError, OslerError
from osler.core.log import Log
from osler.evaluation import run as evaluate
from osler.evaluation import score
from osler.evaluation.compare import compare_runs
from osler.infer.generator import Request

QUIET = Log(quiet=True)


def gold(request: Request) -> str:
    """The right answer if an image is shown: the tests' films tell their patient and study by their gray."""
    if not request.images:
        return "no"
    from osler.media.image import decode_image

    patient, study = divmod(int(decode_image(request.images[0])[0, 0, 0]), 10)
    question = request.turns[-1].text
    finding = (patient + study) % 3
    if "What" in question:
        return f"The answer is {'ABC'[finding]}."
    return "Yes." if (patient % 4 if "heart" in question else finding == 0) else "No."


@pytest.fixture
def start(tmp_path, data, monkeypatch):
    """Run a recipe with a backend; returns the output folder."""
    model = tmp_path / "instruct" / "model"
    model.mkdir(parents=True)

    def go(backend, out="out", **changes) -> Path:
        recipe = {
            "model": str(model),
            "data": [str(data)],
            "tasks": ["phantom_closed", "phantom_choice"],
            "batch_size": 5,
            "backend": "lab.fake",
            "canary": 0,
            **changes,
        }
        monkeypatch.setitem(sys.modules, "lab.fake", SimpleNamespace(BACKEND=lambda model, device: backend))
        folder = tmp_path / out
        folder.mkdir(exist_ok=True)
        go.outcome = evaluate.run(evaluate.parse(recipe), folder, device="cpu", log=QUIET)
        return folder

    return go


def results(out: Path) -> dict[str, dict]:
    return {record["task"]: record for record in json.loads((out / "results.json").read_text())}


def test_a_model_that_sees_beats_its_baselines(start, fake):
    out = start(fake(gold))
    closed, choice = results(out)["phantom_closed"], results(out)["phantom_choice"]
    assert (closed["value"], closed["n"], closed["n_clusters"], closed["unparsed"]) == (1.0, 32, 8, 0)
    assert closed["ci_high"] == 1.0 and closed["ci_low"] < 1.0 and closed["ci_method"] == "wilson|n:clusters"
    assert closed["model"] == "instruct"
    assert closed["baseline"]["blind"]["value"] == pytest.approx(15 / 32)
    assert set(choice["baseline"]) == {"majority", "question_prior", "blind", "shuffled"}
    assert choice["baseline"]["blind"]["unparsed"] == choice["baseline"]["blind"]["n"] == 16
    assert choice["baseline"]["blind"]["value"] == 0.0
    assert closed["baseline"]["shuffled"]["value"] < 1.0
    assert choice["notes"] == ["majority and question_prior were taken from 16 train answers"]


def test_option_orders_reach_the_files(start, fake):
    out = start(fake(gold), conditions=["image", "order1", "order2"])
    (row,) = json.loads((out / "option_orders.json").read_text())
    assert (row["task"], row["num_items"], row["first"]["value"]) == ("phantom_choice", 16, 1.0)
    assert row["mean"]["value"] == pytest.approx(1 / 3) and row["all_correct"]["value"] == 0.0
    assert results(out)["phantom_choice"]["n"] == 16 and results(out)["phantom_choice"]["value"] == 1.0
    assert "option orders: 32 items were not turned" in " ".join(results(out)["phantom_closed"]["notes"])


def test_another_split_is_asked_and_said_so(start, fake):
    out = start(fake(gold), split="train", tasks=["phantom_closed"])
    assert results(out)["phantom_closed"]["task_version"] == "1/train"
    ids = {json.loads(line)["item_id"] for line in (out / "predictions.jsonl").read_text().splitlines()}
    assert ids and all(item.startswith("train-") for item in ids)
    same = start(fake(gold), out="same", split="test", tasks=["phantom_closed"])
    assert results(same)["phantom_closed"]["task_version"] == "1"
    with pytest.raises(InputError, match="validation"):
        start(fake(gold), out="none", split="validation")


def test_train_answers_give_the_priors(start, fake):
    closed = results(start(fake(gold)))["phantom_closed"]["baseline"]
    assert closed["majority"]["value"] == pytest.approx(17 / 32)
    assert closed["question_prior"]["value"] == pytest.approx((12 + 11) / 32)


def test_without_train_the_priors_say_so(start, fake, tmp_path, make_store):
    alone = make_store(tmp_path / "alone", splits=("test",))
    record = results(start(fake(gold), data=[str(alone)]))["phantom_closed"]
    assert "evaluated answers themselves" in record["notes"][0]
    assert record["baseline"]["majority"]["value"] == pytest.approx(17 / 32)


@pytest.mark.parametrize("stop_after", [0, 1, 4, 11])
def test_a_run_that_was_cut_ends_like_one_that_was_not(start, fake, stop_after):
    whole = start(fake(gold), out="whole")
    first, second = fake(gold, stop_after=stop_after), fake(gold)
    with pytest.raises(KeyboardInterrupt):
        start(first, out="cut")
    path = whole.parent / "cut" / "predictions.jsonl"
    if path.exists():
        path.write_bytes(path.read_bytes()[:-40])
    cut = start(second, out="cut")
    assert (cut / "results.json").read_bytes() == (whole / "results.json").read_bytes()
    assert (cut / "cases.json").read_bytes() == (whole / "cases.json").read_bytes()
    assert len(first.batches) + len(second.batches) == 33 + (stop_after > 0)
    third = fake(gold)
    start(third, out="cut")
    assert third.batches == []


def test_batches_do_not_depend_on_where_a_run_was_cut(start, fake):
    whole = fake(gold)
    start(whole, out="whole")
    first, second = fake(gold, stop_after=3), fake(gold)
    with pytest.raises(KeyboardInterrupt):
        start(first, out="cut")
    start(second, out="cut")
    assert first.batches + second.batches == whole.batches


def test_unparsed_answers_count_as_wrong_and_are_shown(start, fake):
    record = results(start(fake(lambda request: "The heart is normal")))["phantom_closed"]
    assert (record["value"], record["unparsed"], record["n"]) == (0.0, 32, 32)


def test_a_failing_batch_is_an_error_and_asked_again(start, fake):
    out = start(fake(gold, fail_on=[1]))
    record = results(out)["phantom_closed"]
    assert record["n"] == 27 and record["value"] == 1.0 and record["unparsed"] == 0
    assert "image: 5 of 32 answers error, left out of n" in record["notes"]
    assert start.outcome.counts["errors"] == 5
    lines = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    assert {line["error"] for line in lines if line["status"] == "error"} == {"RuntimeError: out of memory"}
    again = fake(gold)
    start(again)
    assert [len(batch) for batch in again.batches] == [5]
    assert results(out)["phantom_closed"]["n"] == 32
    assert start.outcome.counts["errors"] == 0


def test_an_engine_that_always_fails_fails_the_run(start, fake):
    with pytest.raises(OslerError, match="no question was answered.*out of memory"):
        start(fake(gold, fail_on=range(99)))


def test_too_few_replies_are_an_error(start, fake, monkeypatch):
    backend = fake(gold)
    monkeypatch.setattr(backend, "generate", lambda requests: [])
    with pytest.raises(OslerError, match="gave 0 replies to 5 requests"):
        start(backend)


def test_changed_questions_are_asked_anew(start, fake):
    start(fake(gold), limit=4)
    more = fake(gold)
    out = start(more, limit=6)
    assert results(out)["phantom_closed"]["n"] == 6
    assert len((out / "predictions.jsonl").read_text().splitlines()) == 36


def test_cases_show_images_and_all_conditions(start, fake):
    out = start(fake(lambda request: "no" if request.images else "perhaps"))
    cases = json.loads((out / "cases.json").read_text())
    assert {case["outcome"] for case in cases if case["task"] == "phantom_closed"} == {"right", "wrong"}
    assert {case["outcome"] for case in cases if case["task"] == "phantom_choice"} == {"unparsed"}
    case = cases[0]
    assert set(case["predictions"]) == {"image", "blind", "shuffled"}
    assert case["predictions"]["blind"]["status"] == "unparsed" and case["predictions"]["blind"]["parsed"] is None
    assert case["predictions"]["image"]["correct"] is True and case["predictions"]["blind"]["correct"] is None
    assert (out / case["images"][0]).read_bytes().startswith(b"\x89PNG")
    assert Path(case["store"]).is_dir() and case["row"]["media_names"]


@pytest.mark.parametrize(
    "counts", ['{"train|test": 7, "train|validation": 2}', '{"train+test": 7, "train+validation": 2}']
)
def test_shared_images_of_the_official_splits_are_said(start, fake, data, counts):
    (data / "overlap.json").write_text(counts)
    assert "official train and test splits share images: 7" in results(start(fake(gold)))["phantom_closed"]["notes"]


def test_scoring_again_needs_neither_model_nor_data(start, fake, tmp_path):
    out = start(fake(gold))
    again = tmp_path / "again"
    again.mkdir()
    config = score.parse({"predictions": str(out / "predictions.jsonl")})
    assert score.inputs(config) == [out / "predictions.jsonl", out / "context.json"]
    outcome = score.run(config, again, device="cpu", log=QUIET)
    for name in ("results.json", "subgroups.json", "predictions.jsonl", "context.json"):
        assert (again / name).read_bytes() == (out / name).read_bytes()
    assert outcome.counts["read_otherwise"] == 0
    assert {row.difference.value for row in compare_runs(out, again)} == {0.0}


def test_scoring_again_with_further_metrics_and_without_context(start, fake, tmp_path):
    out = start(fake(gold))
    (out / "context.json").unlink()
    config = score.parse({"predictions": str(out / "predictions.jsonl"), "metrics": ["bleu1/coco-corpus"]})
    score.run(config, out, device="cpu", log=QUIET)
    records = json.loads((out / "results.json").read_text())
    assert [record["metric"] for record in records] == ["closed_accuracy", "bleu1/coco-corpus", "choice_accuracy"]
    assert records[1]["ci_method"] == "cluster-bootstrap|bca|1000"
    assert set(records[0]["baseline"]) == {"blind", "shuffled"}


def test_a_truncated_answer_stays_truncated_when_scored_again(start, fake, tmp_path):
    out = start(fake(gold))
    path = out / "predictions.jsonl"
    lines = path.read_text().splitlines()
    first = json.loads(lines[0]) | {"status": "truncated", "parsed": None}
    path.write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n")
    score.run(score.parse({"predictions": str(path)}), out, device="cpu", log=QUIET)
    record = results(out)["phantom_closed"]
    assert record["unparsed"] == 1
    assert "image: 1 of 32 answers truncated, counted as unparsed" in record["notes"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": ["phantom_closed"]}, "Did you mean 'tasks'"),
        ({"tasks": ["phantom_closd"]}, "Did you mean 'phantom_closed'"),
        ({"tasks": ["phantom_closed", "phantom_closed"]}, "each entry once"),
        ({"tasks": []}, "each entry once"),
        ({"conditions": ["blind"]}, "must hold 'image'"),
        ({"conditions": ["image", "upside_down"]}, "conditions"),
        ({"backend": "lokal"}, "unknown backend 'lokal'"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_bad_recipes_are_refused(change, message):
    recipe = {"model": "m", "data": ["d"], "tasks": ["phantom_closed"], "backend": "my.backend"}
    with pytest.raises(InputError, match=message):
        evaluate.parse(recipe | change)


def test_missing_folders_are_named(tmp_path):
    config = evaluate.parse({"model": str(tmp_path / "m"), "data": ["d"], "tasks": ["phantom_side"], "backend": "a.b"})
    with pytest.raises(InputError, match="expected a folder; got nothing"):
        evaluate.inputs(config)
    with pytest.raises(InputError, match="Did you mean 'predictions'"):
        score.parse({"prediction": "p"})

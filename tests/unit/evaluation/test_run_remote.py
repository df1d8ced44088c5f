"""`osler eval` against real HTTP servers, good and bad: nothing lost, nothing scored twice, nothing stale."""

import json
import random
import threading
from collections import Counter

import pytest

from chat_server import Fault, chat_server, words
from osler.core.errors import InputError, OslerError
from osler.core.log import Log
from osler.evaluation import run as evaluate

QUIET = Log(quiet=True)


def answer(body) -> str:
    return "Yes." if "heart" in words(body) else "The answer is B." if "What" in words(body) else "No."


@pytest.fixture
def ask(tmp_path, data):
    """Run a recipe against servers; returns the output folder."""

    def go(*servers, out="out", model="toy", **changes):
        recipe = {
            "endpoints": [{"url": each if isinstance(each, str) else each.url, "model": model} for each in servers],
            "model_name": "m",
            "data": [str(data)],
            "tasks": ["phantom_closed", "phantom_choice"],
            "canary": 0,
            "remote": {"concurrency": 4, "max_tries": 3, "first_wait_s": 0.001, "timeout_s": 5},
        } | changes  # fmt: skip
        folder = tmp_path / out
        folder.mkdir(exist_ok=True)
        evaluate.run(evaluate.parse(recipe), folder, device="cpu", log=QUIET)
        return folder

    return go


def lines(out) -> list[dict]:
    return [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]


def num_distinct(out) -> int:
    """Blind, several items ask the same words, and shuffled, an item may show another's own image: asked once."""
    return len({p["cache_key"] for p in lines(out)})


def questions(server) -> list[str]:
    """What was asked, without the short request that looks for vision."""
    return [text for text in server.texts() if text.strip() != "Reply with one word."]


def test_a_run_over_http_scores_like_any_other_and_repeats_its_bytes(ask):
    with chat_server(answer) as server:
        first, second = ask(server), ask(server, out="second")
        assert len(questions(server)) == 2 * num_distinct(first) and len(lines(first)) == 144
    assert (first / "predictions.jsonl").read_bytes() == (second / "predictions.jsonl").read_bytes()
    record = {r["task"]: r for r in json.loads((first / "results.json").read_text())}["phantom_closed"]
    assert (record["model"], record["n"], record["unparsed"]) == ("m", 32, 0)
    decode = json.loads((first / "decode.json").read_text())
    assert (decode["backend"], decode["served_models"], decode["temperature"]) == ("remote", ["toy"], 0.0)
    assert len((first / "logs" / "latency.jsonl").read_text().splitlines()) == 144


def test_a_faulty_server_loses_nothing_and_nothing_is_scored_twice(ask):
    draw, lock, answered = random.Random(1), threading.Lock(), Counter()

    def faulty(body):
        with lock:
            kind = draw.randrange(6)
            if kind > 3:
                answered[json.dumps(body["messages"])] += 1
        faults = (Fault(status=500), Fault(cut=True), Fault(body="{"), Fault(body='{"choices": [{}]}'))
        return faults[kind] if kind < len(faults) else answer(body)

    with chat_server(answer) as good, chat_server(faulty) as bad:
        whole = ask(good, limit=8, out="whole")
        remote = {"concurrency": 6, "max_tries": 60, "first_wait_s": 0.0, "timeout_s": 60}
        out = ask(bad, limit=8, remote=remote)
    assert (out / "results.json").read_bytes() == (whole / "results.json").read_bytes()
    keys = [(p["condition"], p["task"], p["item_id"]) for p in lines(out)]
    assert len(keys) == len(set(keys)) == 48 and not any(p["error"] for p in lines(out))
    # And the one that looks for vision.
    assert set(answered.values()) == {1} and len(answered) == num_distinct(out) + 1


def test_failures_are_kept_as_errors_and_asked_anew_and_only_they(ask):
    broken = True

    def answers(body):
        return Fault(status=400, body="too long") if broken and "effusion?" in words(body) else answer(body)

    with chat_server(answers) as server:
        out = ask(server, tasks=["phantom_closed"], conditions=["image"])
        failed = [p for p in lines(out) if p["status"] == "error"]
        assert len(failed) == 16 and {p["cache_key"] for p in failed} == {""} and "too long" in failed[0]["error"]
        assert evaluate.is_wanting(out)
        broken = False
        before = len(server.requests)
        ask(server, tasks=["phantom_closed"], conditions=["image"])
        assert len(questions(server)) == 32 + 16 and len(server.requests) == before + 17
        assert not any(p["error"] for p in lines(out)) and len(lines(out)) == 32
        assert not evaluate.is_wanting(out)


def test_an_answer_of_another_revision_or_setting_is_not_taken(ask):
    with chat_server(answer) as server:
        ask(server, limit=4)
        num_first = len(questions(server))
        ask(server, limit=4)
        assert len(questions(server)) == num_first
        ask(server, limit=4, remote={"revision": "2", "concurrency": 4})
        assert len(questions(server)) == 2 * num_first
        ask(server, limit=4, remote={"revision": "2", "concurrency": 4}, thinking_tokens=9)
        assert len(questions(server)) == 3 * num_first


def test_answers_of_an_earlier_run_are_taken_though_the_server_has_moved(ask):
    with chat_server(answer) as server:
        first = ask(server, limit=4, out="first")
    with chat_server(answer) as moved:
        again = ask(moved, limit=6, out="again", reuse=[str(first / "predictions.jsonl")])
        known = {p["cache_key"] for p in lines(first)}
        new = {p["cache_key"] for p in lines(again)} - known
        assert 0 < len(questions(moved)) == len(new) < len(known)


def test_a_server_that_dies_leaves_its_questions_to_the_other_or_ends_the_run(ask, capsys):
    with chat_server(answer) as living:
        with chat_server(answer) as gone:
            url = gone.url
        out = ask(living, url, tasks=["phantom_closed"])
        assert not any(p["error"] for p in lines(out))
    assert f"{url} is set aside" in capsys.readouterr().err
    stop_after = 10

    def dying(body):
        return answer(body) if len(server.requests) <= stop_after else Fault(status=401, body="key revoked")

    with chat_server(dying) as server:
        with pytest.raises(OslerError, match="no endpoint is left.*key revoked.*run again to go on"):
            ask(server, out="cut", tasks=["phantom_closed"], conditions=["image"])
        held = len(lines(out.parent / "cut"))
        assert 0 < held < 32
        stop_after = 999
        cut = ask(server, out="cut", tasks=["phantom_closed"], conditions=["image"])
        assert len(lines(cut)) == 32 and not any(p["error"] for p in lines(cut))


def test_the_canary_counts_what_differs_and_asks_once_for_the_same_answers(ask, capsys):
    seen: Counter[str] = Counter()
    lock = threading.Lock()

    def fickle(body):
        key = json.dumps(body["messages"])
        with lock:
            seen[key] += 1
            return "Yes." if seen[key] == 1 or "heart" in key else "No."

    with chat_server(fickle) as server:
        out = ask(server, canary=64, tasks=["phantom_closed"], conditions=["image"])
        canary = json.loads((out / "canary.json").read_text())
        assert (
            canary["all"] == {"asked": 32, "answered": 32, "raw": 16, "parsed": 16} and len(canary["differing"]) == 16
        )
        (record,) = json.loads((out / "results.json").read_text())
        assert "canary: 16 of 32 answers differed when asked again, 16 in what is scored" in record["notes"]
        num_asked = len(server.requests)
        ask(server, canary=64, tasks=["phantom_closed"], conditions=["image"])
        assert len(server.requests) == num_asked
        few = ask(server, canary=5, tasks=["phantom_closed"], conditions=["image"], out="few")
        assert json.loads((few / "canary.json").read_text())["all"]["asked"] == 5
    assert "16 of 32 answers differed" in capsys.readouterr().err


def test_one_shot_is_stamped_and_sent(ask):
    with chat_server(answer) as server:
        out = ask(server, shots=1, tasks=["phantom_closed"], limit=2)
        bodies = [body for body in server.requests if len(body["messages"]) == 3]
        assert len(bodies) == 4 and [m["role"] for m in bodies[0]["messages"]] == ["user", "assistant", "user"]
    (record,) = json.loads((out / "results.json").read_text())
    assert record["task_version"] == "1/1-shot"
    assert "1 answered questions shown before each, drawn under seed 0" in record["notes"]


def test_what_is_wrong_is_said_before_the_first_question(ask, data, monkeypatch):
    monkeypatch.setenv("OSLER_API_KEY", "s3cret-wrong")
    with chat_server(answer, key="right") as server:
        with pytest.raises(InputError, match="401.*OSLER_API_KEY") as caught:
            ask(server)
        assert "s3cret" not in str(caught.value)
        monkeypatch.setenv("OSLER_API_KEY", "right")
        with pytest.raises(InputError, match="has no model 'tiny'; expected one of toy"):
            ask(server, model="tiny")
        ask(server, limit=1, tasks=["phantom_closed"], conditions=["image"])
        server.requests.clear()
        shard = next((data / "shards").glob("test-*.tar"))
        broken = bytearray(shard.read_bytes())
        place = broken.index(b"IDAT") + 6
        broken[place] ^= 1
        shard.write_bytes(broken)
        with pytest.raises(InputError, match="is not the one that was stored"):
            ask(server)
        assert server.requests == []

    def blind(body):
        return Fault(status=400, body="text only") if "image_url" in json.dumps(body) else answer(body)

    broken[place] ^= 1
    shard.write_bytes(broken)
    with chat_server(blind) as server, pytest.raises(InputError, match="does not take images.*text only"):
        ask(server)
    assert questions(server) == []


ENDPOINTS = [{"url": "http://127.0.0.1:1/v1", "model": "toy"}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "m"}, "either model .* or endpoints .*got both"),
        ({"endpoints": []}, "either model .*got neither"),
        ({"model_name": ""}, "model_name is missing"),
        ({"backend": "local"}, "cannot be asked by backend 'local'"),
        ({"endpoints": [], "model": "m", "backend": "remote"}, "asks endpoints, and the recipe names a folder"),
        ({"endpoints": ENDPOINTS * 2}, "each url once"),
        ({"endpoints": [{"url": "localhost:8000", "model": "toy"}]}, "no plain address"),
        ({"endpoints": [{"url": "http://me:s3cret@host/v1", "model": "toy"}]}, "no plain address.*OSLER_API_KEY"),
        ({"endpoints": [{"url": "http://host/v1", "modl": "toy"}]}, "unknown key"),
        ({"endpoints": [{"url": "http://host/v1"}]}, "model"),
        ({"remote": {"extra": {"temperature": 1}}}, "may not hold.*temperature"),
        ({"remote": {"concurrency": 0}}, "concurrency"),
        ({"canary": -1}, "canary"),
        ({"shots": -1}, "shots"),
    ],
)
def test_bad_recipes_are_refused(change, message):
    recipe = {"endpoints": ENDPOINTS, "model_name": "m", "data": ["d"], "tasks": ["phantom_closed"]}
    with pytest.raises(InputError, match=message) as caught:
        evaluate.parse(recipe | change)
    assert "s3cret" not in str(caught.value)


def test_the_backend_follows_from_what_is_named():
    recipe = {"data": ["d"], "tasks": ["phantom_closed"]}
    assert evaluate.parse({**recipe, "endpoints": ENDPOINTS, "model_name": "m"}).backend == "remote"
    assert evaluate.parse({**recipe, "model": "a/model"}).backend == "local"
    assert evaluate.parse({**recipe, "model": "a/model"}).name == "a"

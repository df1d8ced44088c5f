"""`osler score` with `method: rubric` against a judge that answers by rules, fails, stops and babbles."""

import json

import pytest

from chat_server import Fault, chat_server, words
from osler.core.errors import InputError, OslerError
from osler.core.log import Log
from osler.endpoint.ask import PausedError
from osler.evaluation import score
from osler.scoring import pkr
from osler.scoring.pkr import UnitVerdict, trace_score

from .conftest import NUM_ITEMS, rule_judge

QUIET = Log(quiet=True)
GOOD = "<think>P1=2/1 P2=1/1 K1=2/1 K2=2/-1 R1=1/1</think>A"
BY_HAND = (0.75 * 1 + 1 * 0.5 + 0.25 * 1) / 3


@pytest.fixture
def judge(tmp_path, data):
    """Run a recipe; returns the outcome, the results by metric and the output folder."""

    def go(predictions, url, out="out", judges=("one",), **changes):
        fast = {"url": url, "model": "toy", "max_tries": 2, "timeout_s": 5, **changes.pop("endpoint", {})}
        recipe = {
            "method": "rubric",
            "predictions": str(predictions),
            "data": [str(data)],
            "judges": {name: fast for name in judges},
            **changes,
        }
        folder = tmp_path / out
        folder.mkdir(exist_ok=True)
        outcome = score.run(score.parse(recipe), folder, device="cpu", log=QUIET)
        rows = json.loads((folder / "results.json").read_text())
        return outcome, {row["metric"]: row for row in rows}, folder

    return go


def test_pkr_of_a_run_equals_the_sums_done_by_hand(judge, answered):
    with chat_server(rule_judge) as server:
        _, found, out = judge(answered("m", [GOOD] * (NUM_ITEMS - 1) + [""]), server.url)
    assert found["pkr"]["value"] == pytest.approx(BY_HAND * (NUM_ITEMS - 1) / NUM_ITEMS)
    assert found["pkr/knowledge"]["value"] == pytest.approx(0.5 * (NUM_ITEMS - 1) / NUM_ITEMS)
    assert (found["pkr"]["n"], found["pkr"]["n_clusters"]) == (NUM_ITEMS, 3)
    assert found["pkr"]["ci_low"] < found["pkr"]["value"] <= found["pkr"]["ci_high"]
    assert "1 of 6 answers have no words" in " ".join(found["pkr"]["notes"])
    verdicts = [json.loads(line) for line in (out / "verdicts.jsonl").read_text().splitlines()]
    assert len(verdicts) == NUM_ITEMS * 6


def test_metric_and_reward_are_one_function(judge, answered):
    raws = [GOOD, "<think>P1=2/1 K1=1/0 R2=2/1</think>B", "<think>nothing</think>A", *[GOOD] * 3]
    with chat_server(rule_judge) as server:
        _, found, out = judge(answered("m", raws), server.url)
    own: dict[str, list[UnitVerdict]] = {}
    for line in (out / "verdicts.jsonl").read_text().splitlines():
        row = json.loads(line)
        verdict = UnitVerdict(row["axis"], row["unit_id"], row["presence"], row["correctness"])
        own.setdefault(row["item_id"], []).append(verdict)
    rewards = [trace_score(verdicts).value for verdicts in own.values()]
    assert found["pkr"]["value"] == pytest.approx(sum(rewards) / len(rewards))
    from osler.evaluation.judging import rubric

    assert rubric.trace_score is pkr.trace_score


def test_correctness_is_asked_only_of_what_is_there_and_the_judge_sees_no_model(judge, answered):
    with chat_server(rule_judge) as server:
        judge(answered("secret_model", [GOOD] * NUM_ITEMS), server.url)
        texts = server.texts()
    # the same trace to different questions: 6 units, 5 of them there
    assert len(texts) == NUM_ITEMS * (6 + 5)
    assert not any("secret_model" in text for text in texts)


def test_unreadable_verdicts_are_counted_and_never_guessed(judge, answered):
    def babbles(body):
        return "no idea" if "claim K2" in words(body) or "claim K2" in str(body["messages"]) else rule_judge(body)

    with chat_server(babbles) as server:
        outcome, found, out = judge(answered("m", [GOOD] * NUM_ITEMS), server.url)
    assert outcome.counts["unread_verdicts"] == NUM_ITEMS
    assert found["pkr/knowledge"]["value"] == 1.0
    assert "6 of 36 units have no readable verdict" in " ".join(found["pkr"]["notes"])
    row = json.loads((out / "judges.json").read_text())[0]
    assert row["low"] < row["value"] <= row["high"]
    assert row["problems"] == {"presence: no readable answer": NUM_ITEMS}


def test_a_judge_that_never_parses_is_an_error_and_counted(judge, answered, tmp_path):
    with (
        chat_server(lambda body: "I think so") as server,
        pytest.raises(OslerError, match="no readable verdict on any"),
    ):
        judge(answered("m", [GOOD] * NUM_ITEMS), server.url)
    row = json.loads((tmp_path / "out" / "judges.json").read_text())[0]
    assert (row["value"], row["num_unread"], row["num_units"]) == (None, 36, 36)


def test_a_judge_that_stops_pauses_and_goes_on_without_asking_twice(judge, answered):
    path = answered("m", [GOOD] * NUM_ITEMS)
    down = {"after": 20}

    def stops(body):
        down["after"] -= 1
        return rule_judge(body) if down["after"] >= 0 else Fault(500, "down")

    with chat_server(stops) as server:
        with pytest.raises(PausedError, match="run the same command again"):
            judge(path, server.url, endpoint={"concurrency": 1, "max_tries": 1})
        before = len(server.requests)
        down["after"] = 10_000
        _, found, _ = judge(path, server.url, endpoint={"concurrency": 1, "max_tries": 1})
        asked = [json.dumps(body, sort_keys=True) for body in server.requests]
    assert 21 <= before < 25  # one was under way while the failure was noticed
    assert len(asked) - len(set(asked)) == before - 20  # those without an answer, and no other
    assert found["pkr"]["value"] == pytest.approx(BY_HAND)


def test_a_spent_budget_pauses_and_each_start_has_it_anew(judge, answered):
    path = answered("m", [GOOD] * NUM_ITEMS)
    with chat_server(rule_judge) as server:
        starts = 0
        while True:
            starts += 1
            try:
                _, found, _ = judge(path, server.url, endpoint={"concurrency": 1, "max_tokens": 6000})
                break
            except PausedError as error:
                assert "budget" in str(error)
        num_asked = len(server.requests)
    assert 1 < starts < 20
    assert num_asked == NUM_ITEMS * 11
    assert found["pkr"]["value"] == pytest.approx(BY_HAND)


def test_nobody_at_the_address_pauses(judge, answered):
    with pytest.raises(PausedError, match="paused"):
        judge(answered("m", [GOOD] * NUM_ITEMS), "http://127.0.0.1:9/v1", endpoint={"max_tries": 1})


def test_judges_and_people_are_compared(judge, answered, tmp_path):
    path = answered("m", [GOOD] * NUM_ITEMS)
    labels = tmp_path / "labels.jsonl"
    rows = [
        {"rater": "ann", "task": "open_med_reason_bench", "item_id": f"item-{n}", "axis": "perception", "unit_id": unit}
        | {"presence": presence, "correctness": 1}
        for n in range(NUM_ITEMS)
        for unit, presence in (("p1", 2), ("p2", 2 if n == 0 else 1))
    ]
    labels.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with chat_server(rule_judge) as server:
        _, _, out = judge(path, server.url, judges=("one", "two"), labels=[str(labels)])
        agreed = json.loads((out / "agreement.json").read_text())
        with pytest.raises(InputError, match="labels a unit twice"):
            judge(path, server.url, "again", labels=[str(labels), str(labels)])
        labels.write_text(json.dumps({**rows[0], "unit_id": "p9"}) + "\n")
        with pytest.raises(InputError, match="not judged here"):
            judge(path, server.url, "again", labels=[str(labels)])
        labels.write_text(json.dumps({**rows[0], "presence": 5}) + "\n")
        with pytest.raises(InputError, match="line 1 is no label"):
            judge(path, server.url, "again", labels=[str(labels)])
    rows_by = {(row["about"], *row["raters"]): row for row in agreed}
    assert rows_by["presence", "one", "two"]["kappa"] == 1.0
    people = rows_by["presence", "one", "label:ann"]
    assert (people["n"], people["observed"]) == (12, pytest.approx(11 / 12))
    # by hand: judge 6 times 2, 6 times 1; ann 7 and 5: chance 1/2 * 7/12 + 1/2 * 5/12 = 1/2
    assert people["kappa"] == pytest.approx((11 / 12 - 1 / 2) / (1 / 2))
    assert ("presence", "one", "two", "label:ann") in rows_by


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "rubrics"}, "unknown method"),
        ({"prompt_sha256": {"presence": "0" * 64}}, "another instruction"),
        ({"prompt_sha256": {"manners": "0"}}, "no instruction 'manners'"),
        ({"judges": {}}, "judges"),
        ({"judges": {"../x": {"url": "http://a/v1", "model": "m"}}}, "a judge's name"),
        ({"tasks": ["open_med_reson_bench"]}, "open_med_reason_bench"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(changes, said):
    recipe = {"method": "rubric", "predictions": "p", "data": ["d"]}
    recipe |= {"judges": {"one": {"url": "http://a/v1", "model": "m"}}} | changes
    with pytest.raises(InputError, match=said):
        score.parse(recipe)


def test_answers_that_cannot_be_judged_are_refused(judge, answered, data, tmp_path):
    path = answered("m", [GOOD])
    with pytest.raises(InputError, match="holds no answer to judge"):
        judge(path, "http://a/v1", tasks=["slake_closed"])
    other = answered("n", [GOOD])
    other.write_text(other.read_text().replace("item-0", "item-99"))
    with pytest.raises(InputError, match="1 of 1 answered items are not in the data"):
        judge(other, "http://a/v1")

import json
import pickle
import re

import pytest

from chat_server import Fault, chat_server, words
from curate_asking import PNG, sample, samples_of, table
from osler.core.errors import InputError
from osler.curate.asking.record import read_asked
from osler.curate.operator import Workplace
from osler.curate.operators.judge_relevance import OPERATOR, PROMPT_SHA256
from osler.endpoint.ask import PausedError
from osler.endpoint.served import asked_lines, begin_asking

YES = '{"relevant": true, "reason": "a film"}'
NO = '{"relevant": false, "reason": "a bar\\n chart: no patient"}'
CHART, FILM = "A bar chart.", "A chest film."


def by_caption(body):
    return NO if CHART in words(body) else YES


def apply(server, out, *, endpoint=None, **options):
    asked = {"url": server.url, "model": "toy", "concurrency": 2, "max_tries": 2, **(endpoint or {})}
    config = OPERATOR.config.parse({"endpoint": asked, **options})
    made = pickle.loads(pickle.dumps(OPERATOR.build(config)))  # noqa: S301 - made here
    return lambda given: made(given, place=Workplace(out, out))


def test_verdicts_and_reasons_are_kept_of_what_stays_and_what_goes(tmp_path):
    given = table(sample(0, FILM), sample(1, CHART), sample(2, "yes", task="vqa"))
    with chat_server(by_caption) as server:
        kept = apply(server, tmp_path)(given)
        assert len(server.requests) == 2, "answers to questions are no captions"
        picture = server.requests[0]["messages"][1]["content"][0]["image_url"]["url"]
    assert picture.startswith("data:image/png;base64,")
    drop = kept.drops.to_pylist()
    assert [(d["id"], d["rule"], d["reason"]) for d in drop] == [
        ("toy/train/1", "judge_relevance", "not clinically relevant: a bar chart: no patient")
    ]
    assert [(s.id, s.tags) for s in samples_of(kept)] == [
        ("toy/train/0", ("relevance:judged",)), ("toy/train/2", ()),
    ]  # fmt: skip
    rows = {row["id"]: row for row in read_asked(tmp_path).to_pylist()}
    assert json.loads(rows["toy/train/0"]["answer"]) == {"relevant": True, "reason": "a film"}
    assert json.loads(rows["toy/train/1"]["answer"])["relevant"] is False
    assert {row["prompt_sha256"] for row in rows.values()} == {PROMPT_SHA256} and len(rows) == 2


def test_the_instruction_is_the_one_that_recipes_pin():
    assert PROMPT_SHA256 == "b45a5451e2d0c67c591c0a1df87b73227a9c032f94c883b3342775be436e78f1"
    with pytest.raises(InputError, match=f"another instruction, whose SHA-256 is {PROMPT_SHA256}"):
        OPERATOR.config.parse({"endpoint": {"url": "http://h/v1", "model": "m"}, "prompt_sha256": "00"})


def test_no_question_is_asked_twice_not_even_after_a_restart(tmp_path):
    given = table(sample(0, FILM), sample(1, FILM, turns=sample(0, "").turns), sample(2, CHART))
    with chat_server(by_caption) as server:
        first = apply(server, tmp_path)(given)
        assert len(server.requests) == 2, "two samples with one question share its answer"
        again = apply(server, tmp_path)(given)
        assert len(server.requests) == 2
    assert first.table.equals(again.table) and first.drops.equals(again.drops)


@pytest.mark.parametrize(
    "nonsense",
    [
        "maybe", "", "[]", '{"relevant": "yes", "reason": "x"}', '{"relevant": 1, "reason": "x"}', '{"relevant": true}',
        '{"relevant": true, "reason": ""}', '{"relevant": true, "reason": "x", "sure": 1}', "[" * 100_000,
        '{"relevant": true, "reason": "\\ud800"}', '{"relevant": NaN, "reason": "x"}', "\ud800",
    ],
)  # fmt: skip
def test_an_answer_that_never_becomes_valid_is_a_counted_drop_or_kept_with_a_tag(tmp_path, nonsense):
    with chat_server(lambda body: nonsense) as server:
        dropped = apply(server, tmp_path)(table(sample(0, FILM)))
        assert len(server.requests) == 2
        kept = apply(server, tmp_path, when_unreadable="keep")(table(sample(0, FILM)))
        assert len(server.requests) == 2, "what was nonsense is not asked again"
    assert dropped.table.num_rows == 0
    assert [d["reason"].partition(":")[0] for d in dropped.drops.to_pylist()] == ["no readable answer"]
    assert [s.tags for s in samples_of(kept)] == [("relevance:unreadable",)] and kept.drops.num_rows == 0
    assert read_asked(tmp_path)["answer"].to_pylist() == [""]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault(wait_s=1.4), "within 1 s"), (Fault(status=500, body="boom"), "replied 500: boom"),
        (Fault(cut=True), "broke off its reply"), (Fault(body="<html>"), "no valid JSON"),
        (Fault(body="[" * 100_000), "no valid JSON"), (Fault(body='{"choices": []}'), "no choices"),
        (Fault(status=401, body="who?"), "replied 401"), (Fault(status=429, body="slow"), "replied 429"),
        (Fault(status=429, body="slow", headers={"Retry-After": "0"}), "replied 429"),
    ],
)  # fmt: skip
def test_trouble_with_the_endpoint_pauses_and_what_was_answered_stays(tmp_path, fault, why):
    given = table(*(sample(n, f"Film {n}.") for n in range(4)))
    is_up = [False]

    def answer(body):
        return fault if "Film 3." in words(body) and not is_up[0] else YES

    with chat_server(answer) as server:
        judge = apply(
            server, tmp_path, endpoint={"timeout_s": 1 if fault.wait_s else 30, "max_tries": 1, "concurrency": 1}
        )
        with pytest.raises(PausedError, match=re.escape(why)) as caught:
            judge(given)
        assert "toy/train/3" in str(caught.value) and "run the same command again" in str(caught.value)
        assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args  # noqa: S301 - made here
        is_up[0] = True
        assert judge(given).table.num_rows == 4
        asked = [words(body) for body in server.requests]
    assert len(asked) == 5 and len(set(asked)) == 4, "only the one without an answer was asked again"


def test_a_question_that_the_server_refuses_is_unreadable_unless_it_refuses_all(tmp_path):
    refusal = Fault(status=400, body='{"error": {"message": "image too large"}}')
    given = table(sample(0, FILM), sample(1, CHART))
    with chat_server(lambda body: refusal if CHART in words(body) else YES) as server:
        kept = apply(server, tmp_path / "some")(given)
        assert "image too large" in kept.drops["reason"][0].as_py() and kept.table.num_rows == 1
    with chat_server(lambda body: refusal) as server, pytest.raises(PausedError, match="refuses every question"):
        apply(server, tmp_path / "all")(given)


def test_a_spent_budget_pauses_and_a_new_start_has_it_anew(tmp_path):
    given = table(*(sample(n, f"Film {n}.") for n in range(6)))
    limits = {"max_cost": 0.0005, "price": {"million_in": 1.0}, "concurrency": 1}
    with chat_server(lambda body: YES) as server:
        judge = apply(server, tmp_path, endpoint=limits)
        starts = 0
        while starts < 10:
            starts += 1
            begin_asking(tmp_path)
            try:
                judge(given)
                break
            except PausedError as error:
                assert "budget of 0.0005 is spent" in str(error)
                with pytest.raises(PausedError):
                    judge(given)
        assert 1 < starts < 7 and len(server.requests) == 6
        assert "toy" not in "".join(asked_lines(tmp_path)) and "judge_relevance: " in asked_lines(tmp_path)[0]


def test_a_server_that_counts_no_tokens_does_not_leak_the_budget(tmp_path):
    given = table(*(sample(n, f"Film {n}.") for n in range(20)))

    def uncounted(body):
        usage = {"prompt_tokens": -5, "completion_tokens": None}
        return Fault(body=json.dumps({"choices": [{"message": {"content": YES}}], "usage": usage}))

    with chat_server(uncounted) as server:
        with pytest.raises(PausedError, match="tokens is used up"):
            apply(server, tmp_path, endpoint={"max_tokens": 8000, "concurrency": 1})(given)
        assert 2 <= len(server.requests) <= 6


def test_pictures_are_shown_as_they_are_read_and_unreadable_ones_dropped(tmp_path):
    with chat_server(lambda body: YES) as server:
        broken = apply(server, tmp_path)(table(sample(0, FILM), media=PNG[:-40]))
        missing = apply(server, tmp_path)(table(sample(0, FILM), media=None))
        assert server.requests == []
        apply(server, tmp_path, max_images=0)(table(sample(0, FILM), media=PNG[:-40]))
        assert isinstance(server.requests[0]["messages"][1]["content"], str)
    assert broken.drops["reason"][0].as_py().startswith("image unreadable: ")
    assert missing.table.num_rows == 1 and missing.drops.num_rows == 0, "left to drop_missing_image"


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ({"url": "ftp://h"}, "url"), ({"model": ""}, "model"), ({"max_cost": 1.0}, "max_cost needs the price"),
        ({"api_key": "secret"}, "unknown key 'endpoint.api_key'"),
    ],
)  # fmt: skip
def test_a_wrong_endpoint_is_refused_before_anything_runs(endpoint, said):
    with pytest.raises(InputError, match=said):
        OPERATOR.config.parse({"endpoint": {"url": "http://h/v1", "model": "m", **endpoint}})

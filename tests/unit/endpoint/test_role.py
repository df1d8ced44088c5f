import sqlite3
import threading

import pytest
from pydantic import BaseModel

from chat_server import Fault, chat_server, words
from osler.core.errors import InputError
from osler.endpoint.batch import RateLimit, map_concurrent
from osler.endpoint.cache import ReplyCache
from osler.endpoint.chat import ChatReply, ChatRequest, EndpointError, user_message
from osler.endpoint.client import Client, Retry
from osler.endpoint.ledger import Ledger, Price
from osler.endpoint.role import Role


class Verdict(BaseModel):
    relevant: bool
    reason: str


def role(server, *, cache=None, ledger=None) -> Role:
    ask = Client(server.url, "toy", retry=Retry(1))
    server.clients.append(ask)
    return Role("judge", ask, cache, ledger or Ledger(), Price(1.0, 2.0))


def request(text: str = "q") -> ChatRequest:
    return ChatRequest((user_message(text),))


def test_an_answer_is_paid_for_once_and_an_error_is_never_kept(tmp_path):
    answers = iter([Fault(status=500), "one", "two"])
    with chat_server(lambda body: next(answers)) as server:
        cache = ReplyCache(tmp_path / "cache" / "replies.sqlite")
        asked = role(server, cache=cache)
        with pytest.raises(EndpointError):
            asked.ask(request())
        assert len(cache) == 0
        assert asked.ask(request()).text == "one" and asked.ask(request()).text == "one"
        cache.close()
        again = ReplyCache(tmp_path / "cache" / "replies.sqlite")
        assert role(server, cache=again).ask(request()).text == "one" and len(again) == 1
        account = asked.ledger.summary()["judge"]
    assert (account["requests"], account["cached"], account["failed"]) == (1, 1, 1)
    assert account["cost"] == pytest.approx((account["tokens_in"] + 2 * account["tokens_out"]) / 1e6)


def test_a_file_that_is_no_cache_is_named(tmp_path):
    (tmp_path / "c").write_bytes(b"text" * 100)
    with pytest.raises(InputError, match="no cache of answers"):
        ReplyCache(tmp_path / "c")


def test_threads_may_share_a_cache(tmp_path):
    cache = ReplyCache(tmp_path / "c")

    def fill(first: int) -> None:
        for n in range(first, first + 50):
            cache.put(str(n % 60), ChatReply(str(n % 60)))

    threads = [threading.Thread(target=fill, args=(n * 10,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache) == 60 and cache.get("7") == ChatReply("7") and cache.get("60") is None
    assert sqlite3.connect(tmp_path / "c").execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_answer_is_read_into_its_type_fenced_or_not():
    answers = iter(['{"relevant": true, "reason": "r"}', '```json\n{"relevant": false, "reason": "s"}\n```'])
    with chat_server(lambda body: next(answers)) as server:
        asked = role(server)
        assert asked.ask_typed(request(), Verdict).value == Verdict(relevant=True, reason="r")
        assert asked.ask_typed(request("p"), Verdict).value == Verdict(relevant=False, reason="s")
        assert "relevant" in server.requests[0]["response_format"]["json_schema"]["schema"]["properties"]


def test_nonsense_is_told_to_the_model_and_given_up_after_some_tries():
    said = ["maybe", '{"relevant": "perhaps", "reason": "x"}', '{"relevant": true, "reason": "ok"}']
    answers = iter(said)
    with chat_server(lambda body: next(answers)) as server:
        typed = role(server).ask_typed(request(), Verdict)
        assert typed.tries == 3 and typed.value == Verdict(relevant=True, reason="ok")
        assert typed.tokens_out == sum(len(each.split()) for each in said) > typed.reply.tokens_out
        assert "no JSON" in words(server.requests[1]) and "relevant" in words(server.requests[2])
    with chat_server(lambda body: "never") as server:
        typed = role(server).ask_typed(request(), Verdict, max_tries=2)
        assert typed.value is None and "no JSON" in typed.problem and len(server.requests) == 2


def test_a_spent_budget_stops_before_the_next_request():
    with chat_server(lambda body: "word " * 10) as server:
        asked = role(server, ledger=Ledger(max_cost=1e-6))
        asked.ask(request())
        with pytest.raises(EndpointError, match="budget of 1e-06 is spent") as caught:
            asked.ask(request("another"))
        assert caught.value.kind == "budget" and not caught.value.may_pass and len(server.requests) == 1
        with pytest.raises(EndpointError, match="tokens is used up"):
            role(server, ledger=Ledger(max_tokens=0)).ask(request())


def test_work_is_shared_by_threads_and_taken_only_a_little_ahead():
    taken: list[int] = []

    def items():
        for n in range(100):
            taken.append(n)
            yield n

    results = map_concurrent(lambda n: n * n, items(), num_threads=2, look_ahead=3)
    first = next(results)
    assert first[1] == first[0] ** 2 and len(taken) <= 6
    assert sorted(dict(results) | dict([first])) == list(range(100))


def test_an_error_of_the_work_is_raised():
    def work(n: int) -> int:
        if n == 3:
            raise EndpointError("down", kind="unreachable")
        return n

    with pytest.raises(EndpointError, match="down"):
        list(map_concurrent(work, range(50), num_threads=2))


def test_starts_are_spaced_evenly():
    now, waits = [0.0], []
    limit = RateLimit(30, clock=lambda: now[0], sleep=waits.append)
    for _ in range(3):
        limit.wait()
    assert waits == [2.0, 4.0]
    now[0] = 60.0
    limit.wait()
    assert waits == [2.0, 4.0]
    RateLimit(None, sleep=waits.append).wait()
    assert len(waits) == 2

import json

import pytest

from chat_server import Fault, chat_server, words
from osler.core.errors import InputError
from osler.endpoint.batch import RateLimit
from osler.endpoint.chat import ChatRequest, EndpointError, Picture, system_message, user_message
from osler.endpoint.client import Client, Retry

PNG = Picture(b"not really a png", "image/png")


def request(text: str = "hello", **settings) -> ChatRequest:
    return ChatRequest((system_message("Be brief."), user_message(PNG, text)), **settings)


def client(
    server, *, model: str = "toy", key: str = "", timeout_s: float = 5.0, max_tries: int = 3, waits=None
) -> Client:
    sleep = (lambda s: None) if waits is None else waits.append
    made = Client(server.url, model, key=key, timeout_s=timeout_s, retry=Retry(max_tries, 0.5), sleep=sleep)
    server.clients.append(made)
    return made


def test_a_request_arrives_whole_and_its_answer_comes_back():
    with chat_server(lambda body: {"role": "assistant", "content": "fine", "reasoning_content": "because"}) as server:
        reply = client(server).complete(request(max_tokens=7, stop=("\n",), schema={"type": "object"}))
    assert (reply.text, reply.reasoning, reply.finish, reply.model) == ("fine", "because", "stop", "toy")
    assert reply.tokens_out == 1 and reply.tokens_in > 0 and reply.latency_ms > 0
    body = server.requests[0]
    assert (body["max_tokens"], body["temperature"], body["seed"], body["stop"]) == (7, 0.0, 0, ["\n"])
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    picture, text = body["messages"][1]["content"]
    assert picture["image_url"]["url"].startswith("data:image/png;base64,") and text["text"] == "hello"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=500, body="boom"), "server"),
        (Fault(status=429, body="slow down"), "busy"),
        (Fault(body="no json"), "nonsense"),
        (Fault(body='{"choices": []}'), "nonsense"),
        (Fault(body='{"choices": [{"message": {"content": 5}}]}'), "nonsense"),
        (Fault(cut=True), "nonsense"),
    ],
)
def test_what_may_pass_is_tried_again_and_then_named(fault, kind):
    answers = iter([fault, fault, "at last"])
    with chat_server(lambda body: next(answers)) as server:
        assert client(server).complete(request()).text == "at last"
        assert len(server.requests) == 3
    with chat_server(lambda body: fault) as server, pytest.raises(EndpointError) as caught:
        client(server, max_tries=2).complete(request())
    assert caught.value.kind == kind and len(server.requests) == 2


def test_a_slow_reply_is_a_timeout():
    with (
        chat_server(lambda body: Fault(wait_s=0.4)) as server,
        pytest.raises(EndpointError, match="within 0.1 s") as caught,
    ):
        client(server, timeout_s=0.1, max_tries=1).complete(request())
    assert caught.value.kind == "timeout" and caught.value.may_pass


def test_what_will_not_pass_is_asked_once():
    with chat_server(lambda body: Fault(status=400, body='{"error": {"message": "no such field"}}')) as server:
        with pytest.raises(EndpointError, match="400: no such field") as caught:
            client(server).complete(request())
        assert caught.value.kind == "refused" and len(server.requests) == 1


def test_waits_double_and_a_server_may_name_its_own():
    waits: list[float] = []
    answers = iter([Fault(status=500), Fault(status=500), Fault(status=429, headers={"Retry-After": "7"}), "ok"])
    with chat_server(lambda body: next(answers)) as server:
        client(server, max_tries=4, waits=waits).complete(request())
    assert 0.25 <= waits[0] <= 0.5 and 0.5 <= waits[1] <= 1.0 and waits[2] == 7


def test_a_wrong_key_an_unknown_model_and_a_dead_server_are_named_before_the_first_request():
    with chat_server(lambda body: "ok", models=("toy", "other"), key="right") as server:
        client(server, key="right").check()
        with pytest.raises(InputError, match="401.*OSLER_API_KEY"):
            client(server, key="wrong-secret", max_tries=1).check()
        with pytest.raises(InputError, match="has no model 'tiny'; expected one of toy, other"):
            client(server, model="tiny", key="right").check()
        url = server.url
    with pytest.raises(InputError, match="does not answer.*Is it running"), Client(url, "toy", retry=Retry(1)) as gone:
        gone.check()
    with pytest.raises(InputError, match="no address"):
        Client("localhost:8000", "toy")


def test_an_endpoint_without_vision_is_named():
    def answer(body):
        return Fault(status=400, body="images are not supported") if "image_url" in json.dumps(body) else "ok"

    with chat_server(answer) as server, pytest.raises(InputError, match="does not take images.*400"):
        client(server).check_vision(PNG)
    with chat_server(lambda body: "ok") as server:
        client(server).check_vision(PNG)
        assert words(server.requests[0]).strip() == "Reply with one word."


def test_no_error_holds_the_key():
    with chat_server(lambda body: "ok", key="right") as server, pytest.raises(EndpointError) as caught:
        client(server, key="s3cret").complete(request())
    assert "s3cret" not in str(caught.value)


def test_the_key_of_a_request_depends_on_all_that_decides_the_answer():
    same = request().key("toy")
    others = [
        request("Hello").key("toy"),
        request().key("other"),
        request(max_tokens=5).key("toy"),
        request(seed=1).key("toy"),
        request(extra={"top_k": 1}).key("toy"),
        ChatRequest((system_message("Be brief."), user_message(Picture(PNG.data + b"!", "image/png"), "hello"))).key(
            "toy"
        ),
    ]
    assert request().key("toy") == same and same not in others and len(set(others)) == len(others)


@pytest.mark.parametrize("key", ["secret\n", "secr\u00e9t"])
def test_a_key_that_no_header_may_hold_is_refused_without_being_shown(key):
    with pytest.raises(InputError, match="OSLER_API_KEY") as caught:
        Client("http://127.0.0.1:9/v1", "toy", key=key)
    assert "secr" not in str(caught.value)


def test_absurd_replies_are_nonsense_and_no_crash():
    for fault in (Fault(body="[" * 100_000), Fault(status=429, body="[" * 100_000, headers={"Retry-After": "\u00b2"})):
        with chat_server(lambda body, fault=fault: fault) as server, pytest.raises(EndpointError) as caught:
            client(server, max_tries=1).complete(request())
        assert caught.value.kind in {"nonsense", "busy"} and caught.value.retry_after_s is None


def test_second_tries_keep_the_pace():
    waits: list[float] = []
    with chat_server(lambda body: Fault(status=500)) as server:
        rate = RateLimit(60, clock=lambda: 0.0, sleep=waits.append)
        made = Client(server.url, "toy", rate=rate, retry=Retry(3, 0.0))
        server.clients.append(made)
        with pytest.raises(EndpointError):
            made.complete(request())
    assert waits == [1.0, 2.0]

"""The backend over HTTP, against a real server on loopback."""

import base64
import io
import json
import random
import threading
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from chat_server import Fault, chat_server, words
from osler.core.errors import InputError, OslerError
from osler.endpoint.chat import ChatReply, EndpointError
from osler.endpoint.client import Retry
from osler.infer.backends.remote import chat_request, open_backend, read_chat
from osler.infer.generator import Request, Streaming
from osler.media.image import decode_image, encode_png8, encode_png16
from osler.schema.sample import assistant, closed, image, user
from osler.scoring.extract import read_reply


def backend(*servers, warnings=None, model="toy", key="", concurrency=3, max_tries=3, timeout_s=5.0, extra=None):
    urls = [server if isinstance(server, str) else server.url for server in servers]
    made = open_backend(
        [(url, model) for url in urls],
        key=key,
        retry=Retry(max_tries, 0.001),
        timeout_s=timeout_s,
        concurrency=concurrency,
        requests_per_minute=None,
        extra=extra or {},
        warn=(warnings if warnings is not None else []).append,
    )
    for server in servers:
        if not isinstance(server, str):
            server.clients.append(made)
    return made


def requests(count: int) -> list[Request]:
    return [Request(str(n), (user(f"Question {n}?"),), (), max_new_tokens=4) for n in range(count)]


def echo(body) -> str:
    return f"answer to {words(body)}"


def png(pixels: np.ndarray) -> bytes:
    return encode_png8(pixels.astype(np.uint8))


def sent_picture(request: Request) -> tuple[str, bytes]:
    body = chat_request(request, extra={}).body("toy")
    (part,) = [part for part in body["messages"][-1]["content"] if part["type"] == "image_url"]
    head, _, data = part["image_url"]["url"].partition(";base64,")
    return head, base64.b64decode(data)


def test_single_questions_are_asked_at_once_and_greedily():
    barrier = threading.Barrier(3, timeout=5)

    def together(body) -> str:
        barrier.wait()
        return echo(body)

    with chat_server(together) as server:
        made = backend(server)
        assert isinstance(made, Streaming)
        replies = made.generate(requests(6))
        assert [reply.raw for reply in replies] == [f"answer to Question {n}?" for n in range(6)]
        assert all(reply.finished and reply.latency_ms > 0 and reply.tokens_out == 4 for reply in replies)
        assert {(b["temperature"], b["seed"], b["max_tokens"]) for b in server.requests} == {(0.0, 0, 4)}


def test_turns_and_images_keep_their_order_and_bytes():
    first, second = png(np.zeros((8, 8))), png(np.full((8, 8), 200))
    turns = (user(image("a.png"), "One?"), assistant("yes"), user("Two?", image("b.png")))
    body = chat_request(Request("1", turns, (first, second), 4), extra={"top_k": 1}).body("toy")
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"] == "yes" and body["top_k"] == 1
    kinds = [part["type"] for part in body["messages"][2]["content"]]
    assert kinds == ["text", "image_url"]
    parts = [part for number in (0, 2) for part in body["messages"][number]["content"]]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    assert [base64.b64decode(url.partition(",")[2]) for url in urls] == [first, second]


def test_what_a_server_may_show_otherwise_is_drawn_before_it_is_sent():
    plain = png(np.arange(64).reshape(8, 8))
    assert sent_picture(Request("1", (user(image("a.png"), "?"),), (plain,), 4)) == ("data:image/png", plain)
    deep = encode_png16(np.arange(64, dtype=np.uint16).reshape(8, 8) * 40)
    ref = image("a.png", bits=16, window={"center": 1200, "width": 2400})
    head, drawn = sent_picture(Request("1", (user(ref, "?"),), (deep,), 4))
    assert head == "data:image/png" and (decode_image(drawn) == decode_image(deep, ref)).all() and drawn != deep
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((4, 8, 3), np.uint8)).save(turned, "JPEG", exif=exif)
    head, drawn = sent_picture(Request("1", (user(image("a.jpg"), "?"),), (turned.getvalue(),), 4))
    assert head == "data:image/png" and decode_image(drawn).shape == (8, 4, 3)
    with pytest.raises(InputError, match="no window"):
        sent_picture(Request("1", (user(image("a.png"), "?"),), (deep,), 4))


def test_an_image_that_cannot_be_shown_is_an_error_of_its_question_alone():
    with chat_server(echo) as server:
        bad = Request("bad", (user(image("a.png"), "Seen?"),), (b"no image",), 4)
        replies = backend(server).generate([*requests(2), bad])
        assert [bool(reply.error) for reply in replies] == [False, False, True]
        assert "no image file" in replies[2].error and len(server.requests) == 2


def test_reasoning_is_kept_apart_from_the_answer_in_both_layouts():
    gold = closed("yes")
    apart = read_chat(ChatReply("No.", reasoning="Yes? <|channel|>final<|message|>yes</think> yes"))
    assert read_reply(apart.raw, gold, finished=apart.finished).parsed == "no"
    marked = read_chat(ChatReply("<|channel|>analysis<|message|>yes<|end|><|channel|>final<|message|>No.<|return|>"))
    assert read_reply(marked.raw, gold, finished=marked.finished).parsed == "no"
    cut = read_chat(ChatReply("", reasoning="I think", finish="length"))
    assert read_reply(cut.raw, gold, finished=cut.finished).status == "truncated"
    with pytest.raises(EndpointError, match="abort"):
        read_chat(ChatReply("half", finish="abort"))


def test_a_faulty_server_loses_nothing_and_is_not_asked_again_after_it_answered():
    draw, lock = random.Random(0), threading.Lock()
    answered: Counter[str] = Counter()

    def faulty(body):
        with lock:
            kind = draw.choice(["ok", "ok", "500", "half", "nonsense", "empty", "429"])
            if kind == "ok":
                answered[words(body)] += 1
        faults = {
            "500": Fault(status=500),
            "half": Fault(cut=True),
            "nonsense": Fault(body='{"choices": "no"}'),
            "empty": Fault(body="{"),
            "429": Fault(status=429, headers={"Retry-After": "0"}),
        }
        return faults.get(kind) or echo(body)

    with chat_server(faulty) as server:
        made = backend(server, max_tries=60, timeout_s=60.0, concurrency=8)
        outcomes = list(made.stream(requests(60)))
    assert sorted(number for number, _ in outcomes) == list(range(60))
    assert [reply.error for _, reply in outcomes if reply.error] == []
    assert set(answered.values()) == {1} and len(answered) == 60


def test_replies_that_come_too_late_are_asked_for_again():
    slow = iter([True, True, True])

    with chat_server(lambda body: Fault(wait_s=1.0) if next(slow, False) else echo(body)) as server:
        replies = backend(server, max_tries=20, timeout_s=0.4).generate(requests(9))
        assert [reply.raw for reply in replies] == [f"answer to Question {n}?" for n in range(9)]
        assert len(server.requests) >= 12


def test_a_server_that_dies_is_set_aside_and_its_questions_are_asked_elsewhere():
    warnings: list[str] = []
    with chat_server(echo) as living:
        with chat_server(echo) as dying:
            made = backend(living, dying, warnings=warnings, max_tries=2)
            made.check(vision=False)
            dying.clients.clear()
        living.clients.append(made)
        outcomes = dict(made.stream(requests(30)))
        assert len(outcomes) == 30 and not any(reply.error for reply in outcomes.values())
        # A connection that was open when the server closed may carry one more answer.
        assert len(living.requests) + len(dying.requests) == 30
        assert len(warnings) == 1 and "is set aside: cannot reach" in warnings[0] and "1 of 2" in warnings[0]
        made.close()


def test_two_servers_share_the_work():
    with chat_server(echo) as first, chat_server(echo) as second:
        replies = backend(first, second).generate(requests(40))
        assert [reply.raw for reply in replies] == [f"answer to Question {n}?" for n in range(40)]
        assert len(first.requests) + len(second.requests) == 40 and first.requests and second.requests


def test_checks_come_before_the_first_question():
    warnings: list[str] = []
    with chat_server(echo, models=("toy",), key="right") as server:
        with pytest.raises(InputError, match="401.*OSLER_API_KEY"):
            backend(server, key="wrong").check(vision=False)
        with pytest.raises(InputError, match="no model 'tiny'; expected one of toy"):
            backend(server, key="right", model="tiny").check(vision=False)
        with chat_server(echo) as gone:
            url = gone.url
        with pytest.raises(InputError, match="does not answer.*Is it running"):
            backend(url).check(vision=False)
        made = backend(url, server, key="right", warnings=warnings)
        made.check(vision=True)
        assert len(warnings) == 1 and url in warnings[0] and len(server.requests) == 1
        server.clients.append(made)


def test_an_endpoint_without_vision_is_refused_only_where_images_are_asked():
    def blind(body):
        return Fault(status=400, body="no images here") if "image_url" in json.dumps(body) else echo(body)

    with chat_server(blind) as server:
        backend(server).check(vision=False)
        with pytest.raises(InputError, match="does not take images.*400"):
            backend(server).check(vision=True)


def test_with_no_endpoint_left_the_run_ends_and_says_so():
    with chat_server(echo) as server:
        url = server.url
    made = backend(url, max_tries=1)
    with pytest.raises(OslerError, match="no endpoint is left to ask"):
        list(made.stream(requests(3)))
    made.close()

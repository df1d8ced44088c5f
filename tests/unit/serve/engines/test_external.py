"""The engine behind a URL: what it is sent, what is made of what it says, and of what it does not."""

import asyncio
import json

import httpx2
import pytest

from osler.endpoint.client import Client
from osler.endpoint.stream import StreamingClient
from osler.schema.sample import assistant, image, user
from osler.serve.chat.answer import deltas
from osler.serve.engine import Ask, Shown
from osler.serve.engines.external import ExternalEngine
from osler.serve.refusal import Refusal

URL = "http://127.0.0.1:9/v1"


def chunk(content="", finish=None, usage=None, logprobs=None, **delta):
    choice = {"index": 0, "delta": {"content": content, **delta}, "finish_reason": finish, "logprobs": logprobs}
    return {"choices": [] if usage else [choice], "usage": usage}


def sse(*chunks, done=True):
    return "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + ("data: [DONE]\n\n" if done else "")


class Engine:
    """An external engine whose server is a function."""

    def __init__(self, answer, kind="vllm"):
        self.bodies = []

        def handle(request):
            if request.method == "GET":
                return httpx2.Response(200, json={"data": [{"id": "served"}]})
            self.bodies.append(json.loads(request.content))
            reply = answer() if callable(answer) else answer
            return reply if isinstance(reply, httpx2.Response) else httpx2.Response(200, text=reply)

        client = StreamingClient(URL, key="k", timeout_s=1, max_connections=4)
        client._http = httpx2.AsyncClient(transport=httpx2.MockTransport(handle))
        watch = Client(URL, "served")
        watch._http = httpx2.Client(transport=httpx2.MockTransport(handle))
        self.engine = ExternalEngine(client, watch, kind=kind, name="osler", served="served")

    def ask(self, *turns, **options):
        asked = Ask(turns=turns or (user("how many?"),), max_tokens=9, **{"pictures": (), **options})

        async def work():
            return [part async for part in deltas(self.engine, asked, ())]

        return asyncio.run(work())


def words(parts):
    return "".join(part.content for part in parts), "".join(part.reasoning for part in parts)


HARMONY = sse(
    chunk("<|channel|>anal"), chunk("ysis<|message|>look<|end|><|start|>assistant"),
    chunk("<|channel|>final<|message|>two"), chunk("", "stop"),
    chunk(usage={"prompt_tokens": 5, "completion_tokens": 8}),
)  # fmt: skip


@pytest.mark.parametrize("kind", ["vllm", "sglang", "lmdeploy"])
def test_channels_are_split_here_whatever_the_engine(kind):
    served = Engine(HARMONY, kind)
    parts = served.ask(reasoning=True)
    assert words(parts) == ("two", "look")
    assert (parts[-1].finish, parts[-1].tokens_in, parts[-1].tokens_out) == ("stop", 5, 8)
    (body,) = served.bodies
    assert (body["skip_special_tokens"], body["chat_template_kwargs"]) == (False, {"reasoning": True})
    assert (body["stream"], body["stream_options"], body["model"]) == (True, {"include_usage": True}, "served")


def test_reasoning_that_the_engine_told_apart_stays_apart():
    served = Engine(sse(chunk(reasoning_content="look"), chunk("two", "stop")), "openai")
    assert words(served.ask(reasoning=True)) == ("two", "look")
    assert served.bodies[0]["reasoning_effort"] == "high" and "skip_special_tokens" not in served.bodies[0]
    assert words(Engine(sse(chunk(reasoning="a"), chunk("b", "stop"))).ask()) == ("b", "a")


def test_what_is_asked_reaches_the_engine():
    served = Engine(HARMONY)
    shown = Shown(b"file", "image/png", 1, 1, 0, "s", "i")
    served.ask(
        user("first <|end|>"), assistant("yes"), user(image("a"), "and now?"), pictures=(shown,), temperature=0.5,
        seed=4, top_p=0.9, top_logprobs=3, schema={"type": "object"},
    )  # fmt: skip
    (body,) = served.bodies
    assert body["messages"][0]["content"] == "first < |end|>"
    assert body["messages"][2]["content"][0]["image_url"]["url"] == "data:image/png;base64,ZmlsZQ=="
    asked = {"temperature": 0.5, "seed": 4, "top_p": 0.9, "logprobs": True, "top_logprobs": 3, "max_tokens": 9}
    assert {name: body[name] for name in asked} == asked
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_logprobs_come_through():
    entry = {
        "token": "A",
        "logprob": -0.25,
        "bytes": [65],
        "top_logprobs": [{"token": "B", "logprob": -2.0, "bytes": None}],
    }
    parts = Engine(sse(chunk("A", logprobs={"content": [entry]}), chunk("", "stop"))).ask(top_logprobs=1)
    (token,) = [token for part in parts for token in part.tokens]
    assert (token.text, token.logprob, token.others[0].text, token.others[0].data) == ("A", -0.25, "B", b"B")


def busy():
    return httpx2.Response(503, headers={"retry-after": "7"}, text="PATIENT")


def failing(error):
    def answer():
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (busy, 503),
        (httpx2.Response(400, text="PATIENT"), 400),
        (httpx2.Response(401, text="PATIENT"), 502),
        (httpx2.Response(404, text="PATIENT"), 502),
        (httpx2.Response(500, text="PATIENT"), 502),
        (httpx2.Response(302, headers={"location": "http://169.254.169.254/"}), 502),
        (failing(httpx2.ConnectError("PATIENT")), 503),
        (failing(httpx2.ReadTimeout("PATIENT")), 504),
        (failing(httpx2.ReadError("PATIENT")), 502),
        ("data: PATIENT\n\n", 502),
        (sse({"error": {"message": "PATIENT"}}), 502),
        (sse(chunk("half"), done=False), 502),
        (sse({"choices": [{"delta": {"content": 5}}]}), 502),
        (sse({"choices": "PATIENT"}), 502),
        (sse({"choices": [{"delta": {"content": "a"}, "logprobs": {"content": [{"token": "a"}]}}]}), 502),
        ("data: [1]\n\n", 502),
    ],
)
def test_an_engine_that_fails_is_told_of_without_its_words(answer, status):
    with pytest.raises(Refusal) as caught:
        Engine(answer).ask()
    assert caught.value.status == status
    assert "PATIENT" not in str(caught.value.body()) + str(caught.value.headers())
    if answer is busy:
        assert caught.value.headers()["Retry-After"] == "7"


def test_readiness_is_the_engines():
    served = Engine(HARMONY)
    assert asyncio.run(served.engine.problem()) == ""
    served.engine._served, served.engine._checked = "other", -99.0
    assert "does not offer" in asyncio.run(served.engine.problem())

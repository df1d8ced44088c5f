import asyncio
import base64
import io
import json

import httpx2
import pytest
from PIL import Image

from osler.serve.engine import Abilities
from osler.serve.limits import Limits
from serve_world import KEY, Saying, Served

THINKING = ["<|channel|>analysis", "<|message|>look<|end|>", "<|start|>assistant<|channel|>final<|message|>"]


def png(size=(8, 6), mode="L", color=7, form="PNG"):
    out = io.BytesIO()
    Image.new(mode, size, color).save(out, form)
    return out.getvalue()


def uri(data, kind="png"):
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def body(*parts, **fields):
    content = [{"type": "image_url", "image_url": {"url": p}} if p.startswith("data:") else {"type": "text", "text": p}
               for p in parts or ("how many lungs?",)]  # fmt: skip
    return {"model": "toy", "messages": [{"role": "user", "content": content}], **fields}


def ask(served, json_body, **kwargs):
    return served.post("/v1/chat/completions", json=json_body, **kwargs)


def events(reply):
    return [json.loads(line[6:]) for line in reply.text.split("\n\n") if line and line != "data: [DONE]"]


def test_an_answer_has_words_usage_and_reasoning_apart():
    served = Served(Saying([*THINKING, "two", " lungs", "<|return|>"]))
    reply = ask(served, body()).json()
    choice = reply["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "two lungs", "reasoning_content": "look"}
    assert (choice["finish_reason"], choice["logprobs"]) == ("stop", None)
    assert reply["usage"] == {"prompt_tokens": 7, "completion_tokens": 6, "total_tokens": 13}
    assert [event.phase for event in served.events] == ["asked", "answered"]
    assert served.events[1].counts == {"images": 0, "tokens_in": 7, "tokens_out": 6}


def test_a_stream_says_the_same_and_ends_with_done():
    served = Served(Saying([*THINKING, "two", " l", "ungs", "<|return|>"]))
    once = ask(served, body()).json()
    reply = ask(served, body(stream=True, stream_options={"include_usage": True}))
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.text.endswith("data: [DONE]\n\n")
    told = events(reply)
    deltas = [event["choices"][0]["delta"] for event in told if event["choices"]]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == once["choices"][0]["message"]["content"]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "look"
    assert [event["choices"][0]["finish_reason"] for event in told[:-1]][-1] == "stop"
    assert (told[-1]["choices"], told[-1]["usage"]) == ([], once["usage"])
    assert [event.phase for event in served.events] == ["asked", "answered"] * 2
    assert "usage" not in events(ask(served, body(stream=True)))[-1]


def test_images_reach_the_engine_in_order_with_what_was_said():
    served = Served(Saying())
    first, second = png((8, 6)), png((5, 9), "RGB", (1, 2, 3))
    assert ask(served, body(uri(first), "and", uri(second), "?", seed=3, temperature=1, top_p=0.5)).status_code == 200
    (asked,) = served.engine.asked
    assert [(p.width, p.height, p.media_type) for p in asked.pictures] == [(8, 6, "image/png"), (5, 9, "image/png")]
    assert [p.data for p in asked.pictures] == [first, second]
    assert [type(part).__name__ for part in asked.turns[0].parts] == ["Image", "Text", "Image", "Text"]
    assert (asked.seed, asked.temperature, asked.top_p, asked.owner) == (3, 1.0, 0.5, "test")
    assert len(set(served.events[0].image_hmacs)) == 2


def test_logprobs_are_those_of_the_words():
    served = Served(Saying([*THINKING, "A", "<|return|>"]))
    found = ask(served, body(logprobs=True, top_logprobs=2)).json()["choices"][0]["logprobs"]["content"]
    assert [(each["token"], each["logprob"], each["bytes"]) for each in found] == [("A", -0.5, [65])]
    assert [other["token"] for other in found[0]["top_logprobs"]] == ["o0", "o1"]
    told = events(ask(served, body(logprobs=True, stream=True)))
    kept = [event["choices"][0]["logprobs"] for event in told if event["choices"][0]["logprobs"]]
    assert [entry["token"] for each in kept for entry in each["content"]] == ["A"]


def test_a_stop_ends_the_answer_and_leaves_the_engine():
    served = Served(Saying(["two ", "lungs", " and", " more"]))
    reply = ask(served, body(stop=["ngs a"])).json()["choices"][0]
    assert (reply["message"]["content"], reply["finish_reason"]) == ("two lu", "stop")
    assert (served.engine.num_left, served.engine.num_active) == (1, 0)
    cut = Served(Saying(["two ", "lungs"], finish="length"))
    assert ask(cut, body()).json()["choices"][0]["finish_reason"] == "length"


UNSUPPORTED = {
    "tools": [{}], "tool_choice": "auto", "functions": [], "logit_bias": {"1": 2}, "frequency_penalty": 0.5,
    "presence_penalty": 0, "user": "x", "metadata": {}, "store": True, "n": 2, "top_k": 5, "guided_json": {},
    "response_format": {"type": "json_object"}, "reasoning_effort": "low", "modalities": ["audio"], "best_of": 2,
    "parallel_tool_calls": False, "service_tier": "auto", "chat_template": "x", "mm_processor_kwargs": {},
}  # fmt: skip


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_a_field_that_is_not_honoured_is_named(name):
    served = Served(Saying())
    error = ask(served, body(**{name: UNSUPPORTED[name]})).json()["error"]
    assert (error["param"], error["code"]) == (name, "unsupported_field")
    assert name in error["message"] and served.engine.asked == []
    assert ask(served, body(**{name: None})).status_code == 200


def test_an_unknown_field_is_refused_without_repeating_it():
    served = Served(Saying())
    error = ask(served, body(temprature=0)).json()["error"]
    assert "Did you mean 'temperature'?" in error["message"] and error["code"] == "unknown_field"
    reply = ask(served, body(**{"PATIENT JOHN": 1}))
    assert (reply.status_code, "JOHN" in reply.text) == (400, False)


def test_a_schema_is_passed_on_where_the_engine_can():
    schema = {"type": "object"}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema, "strict": True}}
    assert ask(Served(Saying()), body(response_format=form)).json()["error"]["param"] == "response_format"
    able = Served(Saying(abilities=Abilities(schema=True)))
    assert ask(able, body(response_format=form)).status_code == 200
    assert able.engine.asked[0].schema == schema
    assert ask(able, body(response_format={"type": "text"})).status_code == 200


def test_limits_come_before_any_work():
    served = Served(Saying(), limits=Limits(max_images=2, max_pixels=100, max_messages=3, max_tokens=50))
    small, broken = uri(png((5, 5))), uri(b"no image")
    many = ask(served, body(broken, broken, broken))
    assert (many.status_code, many.json()["error"]["code"]) == (413, "too_many_images")
    assert ask(served, body(small, small, "?")).status_code == 200
    large = ask(served, body(uri(png((9, 6))), uri(png((9, 6)))))
    assert (large.status_code, large.json()["error"]["code"]) == (413, "too_many_pixels")
    assert "image 2" in large.json()["error"]["message"]
    assert ask(served, body() | {"messages": [{"role": "user", "content": "a"}] * 4}).status_code == 413
    assert ask(served, body(max_tokens=51)).json()["error"]["param"] == "max_tokens"
    assert ask(served, body(max_completion_tokens=50)).status_code == 200
    assert served.engine.asked[-1].max_tokens == 50


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"no image at all", 422, "not_an_image"),
        (png()[:40], 422, "damaged_image"),
        (png((300, 300), "RGB", (9, 9, 9))[:-30], 422, "damaged_image"),
        (png((9, 9), "I;16", 300), 422, "too_many_bits"),
        (b"%PDF-1.7", 422, "not_an_image"),
        (b"\xff\xd8\xff\xe0JFIF", 422, "damaged_image"),
    ],
)
def test_files_that_are_no_images(data, status, code):
    reply = ask(Served(Saying()), body(uri(data)))
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


def test_the_full_house_asks_to_come_again():
    async def run():
        served = Served(Saying(wait_s=0.05), limits=Limits(max_admitted=2))
        async with served.app.router.lifespan_context(served.app):
            transport = httpx2.ASGITransport(served.app)
            headers = {"authorization": f"Bearer {KEY}"}
            async with httpx2.AsyncClient(transport=transport, base_url="http://a", headers=headers) as client:
                return await asyncio.gather(
                    *(client.post("/v1/chat/completions", json=body()) for _ in range(6))
                ), served.app.state.admission.num_inside

    replies, inside = asyncio.run(run())
    assert sorted(reply.status_code for reply in replies) == [200, 200, 503, 503, 503, 503]
    assert all(int(reply.headers["retry-after"]) >= 1 for reply in replies if reply.status_code == 503)
    assert inside == 0


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_frees_its_slot(stream):
    async def run():
        served = Served(Saying(["a"] * 1000, wait_s=0.01))
        data = json.dumps(body(stream=stream)).encode()
        messages = [{"type": "http.request", "body": data, "more_body": False}]

        async def receive():
            if messages:
                return messages.pop()
            await asyncio.sleep(0.15)
            return {"type": "http.disconnect"}

        async def send(message):
            pass

        headers = [(b"authorization", f"Bearer {KEY}".encode()), (b"content-type", b"application/json")]
        scope = {
            "type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers, "query_string": b"",
            "http_version": "1.1", "scheme": "http", "server": ("a", 1), "client": ("b", 2), "root_path": "",
        }  # fmt: skip
        async with served.app.router.lifespan_context(served.app):
            await asyncio.wait_for(served.app(scope, receive, send), 1.0)
        return served

    served = asyncio.run(run())
    assert (served.engine.num_active, served.engine.num_left) == (0, 1)
    assert served.app.state.admission.num_inside == 0
    assert served.events[-1].status == 499 or stream
    assert "osler_cancelled_total 1.0" in served.get("/metrics").text


def test_an_audit_that_fails_between_refuses_the_answer():
    written = []

    def audit(events):
        if written:
            raise OSError("full")
        written.extend(events)

    served = Served(Saying(), audit=audit)
    reply = ask(served, body())
    assert (reply.status_code, "lungs" in reply.text) == (503, False)
    assert len(served.engine.asked) == 1

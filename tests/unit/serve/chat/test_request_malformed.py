"""Bodies that are not what they should be: over 100 of them, each a 4xx in our form, none of them an accident."""

import asyncio
import base64
import json

from serve_world import KEY, Saying, Served

USER = [{"role": "user", "content": "a"}]
PIXEL = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
RAW = [
    b"", b" ", b"{", b"}", b"[]", b"null", b"1", b'"a"', b"true", b"{]", b'{"a":}', b"{'a':1}", b'{"model":"toy",}',
    b"\xff\xfe{}", b"\x00", b'{"a":"\xff"}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b"[" * 100_000,
    b'{"a":' * 50_000, b'{"model":"toy","model":"toy","messages":[]}', b'{"a":1e999', b'{"a":' + b"9" * 5000 + b"}",
    b'{"model":"toy","messages":[{"role":"user","content":"\\ud800"}]}', b'{"\\udfff":1}',
    b"--x\r\nContent-Type: a\r\n\r\n",
    b"model=toy", b'\xef\xbb\xbf{"model":"toy"}', b'{"a":"\x01"}', b"{}",
]  # fmt: skip
FIELDS = {
    "model": [None, 1, [], {}, "", "other", "a" * 100_000, True],
    "messages": [None, 1, "a", {}, [], [None], [1], ["a"], [[]], [{}], [{"role": "user"}], [{"content": "a"}]],
    "max_tokens": [0, -1, 1.5, "1", True, [], {}, 10**30, 5000],
    "max_completion_tokens": [0, "9", 2.0, -5],
    "temperature": [-0.1, 2.1, "0", True, [], 1e308, 10**400],
    "top_p": [0, -1, 1.01, "1", {}],
    "n": [0, 2, -1, "1", 1.0, 129],
    "seed": ["1", 1.5, 2**63, -(2**64), True, []],
    "stop": [1, [1], "", [""], ["a"] * 5, {"a": 1}, ["a" * 300], [None]],
    "stream": [1, "true", [], {}],
    "stream_options": [1, [], {"include_usage": 1}, {"other": 1}, {"include_usage": True}],
    "logprobs": [1, "true", []],
    "top_logprobs": [1, -1, 21, "5", True],
    "response_format": [1, "text", {}, {"type": 1}, {"type": "xml"}, {"type": "text", "x": 1}, {"type": "json_schema"}],
    "reasoning_effort": [1, "extreme", [], True],
}
MESSAGES = [
    {"role": "tool", "content": "a"}, {"role": "developer", "content": "a"}, {"role": 1, "content": "a"},
    {"role": "user", "content": None}, {"role": "user", "content": 1}, {"role": "user", "content": []},
    {"role": "user", "content": [1]}, {"role": "user", "content": [{}]},
    {"role": "user", "content": [{"type": "text"}]},
    {"role": "user", "content": [{"type": "text", "text": 1}]}, {"role": "user", "content": "a", "name": "b"},
    {"role": "user", "content": [{"type": "image_url"}]}, {"role": "user", "content": [{"type": "input_audio"}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": "data:"}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": 1}}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL + "="}}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL + "é"}}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]},
    {"role": "system", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]},
    {"role": "assistant", "content": "a"}, {"role": "assistant", "content": "a", "tool_calls": [{}]},
    {"role": "user", "content": "a", "reasoning_content": "b"}, {"role": "user", "content": "a", "x": {}},
    {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {}}]},
]  # fmt: skip


def bodies():
    """Every malformed body, as bytes."""
    whole = {"model": "toy", "messages": USER}
    fields = [{**whole, name: value} for name, values in FIELDS.items() for value in values]
    return [*RAW, *(json.dumps(each).encode() for each in [*fields, *({**whole, "messages": [m]} for m in MESSAGES)])]


def test_malformed_bodies_are_refused_in_our_form():
    served = Served(Saying())
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}

    async def ask():
        async with served.client() as client:
            return [await client.post("/v1/chat/completions", content=body, headers=headers) for body in bodies()]

    replies = asyncio.run(ask())
    assert len(replies) >= 140
    odd = [(body[:80], reply.status_code) for body, reply in zip(bodies(), replies, strict=True)
           if not 400 <= reply.status_code < 500]  # fmt: skip
    assert odd == []
    assert all(set(reply.json()["error"]) == {"message", "type", "param", "code"} for reply in replies)
    assert not any("failed" in line for line in served.lines)
    assert served.engine.asked == []


def test_other_types_of_body_are_refused():
    served = Served(Saying())
    for kind in ("", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "application/jsonx"):
        reply = served.post("/v1/chat/completions", content=b"{}", headers={"content-type": kind})
        assert reply.status_code == 415

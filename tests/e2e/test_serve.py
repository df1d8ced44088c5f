"""`osler serve` as a whole: real processes, real sockets, a small model on a CPU."""

import base64
import json
import random
import signal
import threading
import time
from pathlib import Path

import httpx2
import numpy as np
import openai
import pytest
from PIL import PngImagePlugin
from serving import children, film, running, save_model, saved, uri

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def service(model, tmp_path_factory):
    with running(tmp_path_factory.mktemp("service"), {"embedded": {"model": str(model), "num_slots": 16}}) as service:
        yield service


def test_the_official_client_round_trips(service):
    with openai.OpenAI(base_url=service.url, api_key=service.keys["a"], max_retries=0) as client:
        _round_trip(client)
    wrong = openai.OpenAI(base_url=service.url, api_key="osler_x_y", max_retries=0)
    with wrong, pytest.raises(openai.AuthenticationError):
        wrong.models.list()


def _round_trip(client):
    assert [model.id for model in client.models.list()] == ["tiny"]
    messages = [{"role": "user", "content": [film(1), film(2), {"type": "text", "text": "Which is brighter?"}]}]
    asked = {"model": "tiny", "messages": messages, "max_tokens": 12, "logprobs": True, "top_logprobs": 3, "seed": 1}
    whole = client.chat.completions.create(**asked)
    choice = whole.choices[0]
    assert whole.usage.completion_tokens == 12 or choice.finish_reason == "stop"
    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    said = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(each.delta.content or "" for each in said) == choice.message.content
    assert [each.finish_reason for each in said][-1] == choice.finish_reason
    assert chunks[-1].usage == whole.usage
    told = [entry.logprob for each in said if each.logprobs for entry in each.logprobs.content]
    assert told == pytest.approx([entry.logprob for entry in choice.logprobs.content], abs=1e-4)
    assert len(told) > 0 and all(len(entry.top_logprobs) == 3 for entry in choice.logprobs.content)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**asked, tools=[])
    assert refused.value.param == "tools"


def test_streams_say_what_whole_answers_say(service):
    for number in range(24):
        asked = {"content": [film(number % 6), {"type": "text", "text": "a" * number}], "max_tokens": 2 + number}
        asked |= {"temperature": 1.2, "seed": number} if number % 2 else {}
        asked |= {"stop": ["e", " "]} if number % 3 == 0 else {}
        whole = service.chat(**asked).json()["choices"][0]
        lines = service.chat(**asked, stream=True).text.split("\n\n")
        assert lines[-2:] == ["data: [DONE]", ""]
        deltas = [json.loads(line[6:])["choices"][0] for line in lines[:-2]]
        assert "".join(each["delta"].get("content", "") for each in deltas) == whole["message"]["content"]
        assert deltas[-1]["finish_reason"] == whole["finish_reason"]


def test_two_users_never_get_each_others_answers(service):
    """Each of 40 questions has first log-probabilities of its own, which tell whose answer it is."""
    questions = [[film(number), {"type": "text", "text": f"{number} {number % 7}"}] for number in range(40)]

    def mark(reply):
        assert reply.status_code == 200, reply.text
        entry = reply.json()["choices"][0]["logprobs"]["content"][0]
        return [round(each["logprob"], 3) for each in entry["top_logprobs"]]

    asked = {"max_tokens": 1, "logprobs": True, "top_logprobs": 8}
    expected = [mark(service.chat(question, **asked)) for question in questions]
    assert len({tuple(each) for each in expected}) == 40
    wrong, lock = [], threading.Lock()

    def user(who, seed, count):
        rng = random.Random(seed)
        with httpx2.Client(base_url=service.url, timeout=60, trust_env=False) as client:
            for _ in range(count):
                number = rng.randrange(0, 40, 2) + (who == "b")
                body = {"model": "tiny", "messages": [{"role": "user", "content": questions[number]}], **asked}
                reply = client.post("/chat/completions", json=body, headers=service.headers(who))
                found = mark(reply)
                if not np.allclose(found, expected[number], atol=2e-3):
                    with lock:
                        wrong.append((who, number))

    threads = [threading.Thread(target=user, args=(who, seed, 250)) for seed in range(4) for who in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_frees_its_slot_within_a_second(service, stream):
    body = {"model": "tiny", "messages": [{"role": "user", "content": "a"}], "max_tokens": 256, "stream": stream}
    body |= {"temperature": 2.0, "seed": 5}
    before = service.metric("osler_cancelled_total")

    def ask_and_leave():
        with httpx2.Client(timeout=0.25 if not stream else 10, trust_env=False) as client:
            try:
                with client.stream(
                    "POST", f"{service.url}/chat/completions", json=body, headers=service.headers()
                ) as r:
                    next(r.iter_bytes())
            except httpx2.TimeoutException:
                pass

    threads = [threading.Thread(target=ask_and_leave) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    start = time.monotonic()
    while service.metric("osler_chats_admitted") > 0:
        assert time.monotonic() - start < 1.0
        time.sleep(0.02)
    assert service.metric("osler_cancelled_total") > before


def test_sigterm_lets_answers_end(model, tmp_path):
    with running(tmp_path / "s", {"embedded": {"model": str(model)}}) as service:
        got = {}

        def ask():
            with httpx2.Client(timeout=60, trust_env=False) as client:
                body = {"model": "tiny", "messages": [{"role": "user", "content": "a"}], "max_tokens": 256, "seed": 5,
                        "temperature": 2.0, "stream": True}  # fmt: skip
                reply = client.post(f"{service.url}/chat/completions", json=body, headers=service.headers())
                got["text"] = reply.text

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.3)
        start = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(30) == 0
        took = time.monotonic() - start
        thread.join()
    assert got["text"].endswith("data: [DONE]\n\n")
    assert took < 30
    assert "stopped" in service.log.read_text()


def canaries():
    """200 identity strings as hospitals write them."""
    rng = random.Random(7)
    out = []
    for number in range(40):
        out += [
            f"Zweigl{number}^Ottilie{number}", f"MRN77{number:05d}1",
            f"19{30 + number}-07-{1 + number % 28:02d}Q{number}",
            f"accession-QX{number:04d}Z", "".join(rng.choice("bcdfghjkmnpqrstvwxyz") for _ in range(16)),
        ]  # fmt: skip
    return out


def test_no_identity_leaks(model, tmp_path):
    planted = canaries()
    assert len(set(planted)) == 200
    with running(tmp_path / "s", {"embedded": {"model": str(model)}}) as service:
        errors = []
        for number, name in enumerate(planted):
            reply = _plant(service, number % 20, name)
            if reply.status_code >= 400:
                errors.append(reply.text + str(dict(reply.headers)))
        metrics = service.client.get(service.url.removesuffix("/v1") + "/metrics", headers=service.headers()).text
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(errors) >= 80
    places = {"errors": "\n".join(errors), "metrics": metrics}
    places |= {str(path): path.read_bytes().decode("utf-8", errors="replace") for path in files}
    assert any("audit" in place for place in places) and "POST /v1/chat/completions 200" in service.log.read_text()
    spelled = {name: {name, name.lower(), base64.b64encode(name.encode()).decode().rstrip("=")} for name in planted}
    leaks = [(place, n) for place, text in places.items() for n, forms in spelled.items() for f in forms if f in text]
    assert leaks == []
    assert list(service.temp.iterdir()) == []


def _plant(service, way, name):
    """Send an identity in one of twenty ways, good requests and bad ones."""
    info = PngImagePlugin.PngInfo()
    info.add_text("PatientName", name)
    tagged = saved("PNG", (20, 20), pnginfo=info)
    whole = {"model": "tiny", "messages": [{"role": "user", "content": name}], "max_tokens": 2}
    post = service.client.post
    headers = service.headers()
    chat = "/chat/completions"
    ways = [
        lambda: service.chat(name, max_tokens=2),
        lambda: service.chat([uri(tagged), {"type": "text", "text": name}], max_tokens=2),
        lambda: service.chat([uri(tagged[: len(tagged) // 2])]),
        lambda: service.chat([uri(name.encode())]),
        lambda: service.chat([{"type": "image_url", "image_url": {"url": f"http://pacs/{name}.png"}}]),
        lambda: service.chat([{"type": name, "text": name}]),
        lambda: post(chat, json={**whole, name: 1}, headers=headers),
        lambda: post(chat, json={**whole, "model": name}, headers=headers),
        lambda: post(chat, json={**whole, "user": name}, headers=headers),
        lambda: post(chat, json={**whole, "stop": {name: name}}, headers=headers),
        lambda: post(chat, json={**whole, "messages": [{"role": name, "content": name, name: name}]}, headers=headers),
        lambda: post(chat, content=f'{{"{name}": '.encode(), headers={**headers, "content-type": "application/json"}),
        lambda: post(chat, content=name.encode(), headers={**headers, "content-type": f"text/{name.replace('^', '')}"}),
        lambda: post(chat, json=whole, headers={"authorization": f"Bearer osler_{name}_{name}"}),
        lambda: post(f"/{name.replace('^', '-')}/{name.replace('^', '-')}?q={name}", json=whole, headers=headers),
        lambda: post(f"{chat}?patient={name}", json=whole, headers={**headers, "x-patient": name, "user-agent": name}),
        lambda: post(chat, json={**whole, "stream": True, "stop": [name]}, headers=headers),
        lambda: post(chat, json={**whole, "max_tokens": name}, headers=headers),
        lambda: post(chat, json={**whole, "messages": [{"role": "user", "content": name * 9000}]}, headers=headers),
        lambda: service.client.request("PATCH", f"/models/{name.replace('^', '-')}", headers=headers),
    ]
    return ways[way]()


def test_a_gateway_before_a_gateway_agrees_with_the_model(service, model, tmp_path, monkeypatch):
    monkeypatch.setenv("OSLER_API_KEY", service.keys["b"])
    external = {"kind": "openai", "url": service.url, "model": "tiny", "compare_with": str(model)}
    with running(tmp_path / "s", {"embedded": None, "external": external}) as front:
        said = front.log.read_text()
        assert "32 of 32 canaries begin alike" in said
        for number in range(4):
            asked = [film(number), {"type": "text", "text": "Describe the picture."}]
            behind, before = service.chat(asked, max_tokens=20), front.chat(asked, max_tokens=20)
            assert behind.json()["choices"] == before.json()["choices"]
            assert behind.json()["usage"] == before.json()["usage"]
        assert front.client.get(front.url.removesuffix("/v1") + "/ready", headers=front.headers()).status_code == 200


def test_decoders_cannot_open_files_or_grow(service):
    service.chat([film(0)])
    (worker, *_) = children(service.pid)
    limits = {
        line[:25].strip(): line[26:].split()[:2] for line in Path(f"/proc/{worker}/limits").read_text().splitlines()
    }
    assert limits["Max open files"] == ["3", "3"]
    assert limits["Max file size"] == limits["Max core file size"] == ["0", "0"]
    assert int(limits["Max address space"][0]) < 3 << 30
    assert b"KEY" not in Path(f"/proc/{worker}/environ").read_bytes()

import asyncio
import base64
import time

import pytest
from fastapi import APIRouter, Depends, Request

from osler.serve.limits import Limits
from osler.serve.needs import all_routes, needs
from serve_world import Saying, Served


@pytest.fixture
def served():
    return Served(Saying())


def routes(app):
    return [(method, route.path) for route in all_routes(app.routes) for method in sorted(route.methods or ())]


def test_no_route_but_health_answers_without_a_key(served):
    found = routes(served.app)
    assert ("GET", "/health") in found and len(found) >= 4
    for method, path in [*found, ("GET", "/"), ("GET", "/docs"), ("GET", "/openapi.json"), ("POST", "/reset")]:
        for key in ("", "osler_wrong_key", "osler_test"):
            status = asyncio.run(served.send(method, path, key=key)).status_code
            assert status == (200 if path == "/health" else 401), (method, path)


def test_a_router_without_a_scope_is_refused_when_the_app_is_made():
    router = APIRouter()
    router.add_api_route("/open", lambda: 1)
    with pytest.raises(ValueError, match="/open declares no scope"):
        Served(Saying(), routers=[router])


def test_each_scope_opens_its_routes_only(served):
    assert served.get("/v1/models", key="osler_chat_key").json()["data"][0]["id"] == "toy"
    reply = served.get("/metrics", key="osler_chat_key")
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "missing_scope")
    assert served.get("/ready", key="osler_study_key").json() == {"status": "ready"}


def test_a_browser_shows_the_key_as_a_password(served):
    pair = base64.b64encode(b"anyone:osler_test_key").decode()
    assert served.get("/ready", key="", headers={"authorization": f"Basic {pair}"}).status_code == 200
    assert served.get("/ready", key="", headers={"authorization": "Basic %%%"}).status_code == 401
    assert "Bearer" in served.get("/ready", key="").headers["www-authenticate"]


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}]
)
def test_pages_of_other_origins_are_refused(served, headers):
    assert served.get("/ready", headers=headers).status_code == 403
    assert served.get("/ready", headers={"origin": "http://127.0.0.1"}).status_code == 200


def test_a_key_that_asks_too_often_is_told_when_to_come_again():
    served = Served(Saying(), limits=Limits(requests_per_minute=6, burst=2))
    replies = [served.get("/ready") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert 1 <= int(replies[2].headers["retry-after"]) <= 10
    assert served.get("/ready", key="osler_chat_key").status_code == 200


def echo_router():
    router = APIRouter()

    @router.post("/studies/in", dependencies=[Depends(needs("study"))])
    async def store(request: Request):
        request.state.trail.image(await request.body())
        return {"size": len(await request.body())}

    @router.post("/studies/typed", dependencies=[Depends(needs("study"))])
    async def typed(body: dict[str, int]):
        return body

    @router.get("/studies/broken", dependencies=[Depends(needs("study"))])
    async def broken():
        raise RuntimeError("PATIENT^NAME 1234567")

    return router


async def chunks(count, size=1000):
    for _ in range(count):
        yield b"x" * size


def test_bodies_are_counted_while_they_are_read():
    limits = Limits(max_body_bytes=2500, body_bytes_below={"/studies": 5000})
    served = Served(Saying(), limits=limits, routers=[echo_router()])
    assert served.post("/studies/in", content=chunks(5)).json() == {"size": 5000}
    for path in ("/studies/in", "/studies/typed"):
        chunked = served.post(path, content=chunks(6))
        assert (chunked.status_code, chunked.json()["error"]["code"]) == (413, "body_too_large")
        assert served.post(path, content=b"x" * 5001).status_code == 413


def test_a_body_that_drips_is_given_up():
    async def slow():
        yield b"x"
        await asyncio.sleep(5)
        yield b"x"

    served = Served(Saying(), limits=Limits(body_timeout_s=0.1), routers=[echo_router()])
    assert served.post("/studies/in", content=slow()).status_code == 408


def test_errors_say_nothing_of_what_was_sent():
    served = Served(Saying(), routers=[echo_router()])
    broken = served.get("/studies/broken")
    assert (broken.status_code, "PATIENT" in broken.text, "PATIENT" in str(served.lines)) == (500, False, False)
    assert served.lines[0].endswith("failed: RuntimeError")
    typed = served.post("/studies/typed", json={"name": "PATIENT^NAME"})
    assert (typed.status_code, "PATIENT" in typed.text) == (400, False)
    lost = served.get("/PATIENT-NAME?mrn=1234567")
    assert (lost.status_code, "PATIENT" in str(served.lines), "1234567" in str(served.lines)) == (404, False, False)
    assert "PATIENT" not in served.get("/metrics").text
    assert served.post("/ready").status_code == 405


def test_what_cannot_be_recorded_is_not_answered():
    def full(events):
        raise OSError("no space")

    served = Served(Saying(), audit=full, routers=[echo_router()])
    reply = served.post("/studies/in", content=b"abc")
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "audit_unavailable")
    assert served.get("/health").status_code == 200
    assert served.get("/ready").status_code == 503


def test_events_tell_who_and_what_without_a_word():
    served = Served(Saying(), routers=[echo_router()])
    served.post("/studies/in", content=b"JOHN DOE")
    (event,) = served.events
    assert (event.who, event.route, event.status, event.phase) == ("test", "POST /studies/in", 200, "answered")
    assert len(event.image_hmacs[0]) == 64 and "JOHN" not in str(event)
    served.post("/studies/in", content=b"JOHN DOE", key="osler_wrong_key")
    assert (served.events[1].phase, served.events[1].who, served.events[1].status) == ("refused", "", 401)


def test_a_flood_of_bad_keys_is_entered_as_a_number(served):
    async def flood():
        async with served.client() as client:
            for _ in range(70):
                await client.get("/ready", headers={"authorization": "Bearer osler_wrong_key"})

    asyncio.run(flood())
    assert 60 <= len(served.events) <= 62
    assert served.app.state.doors.num_unrecorded >= 8


def test_a_closing_server_takes_no_new_request(served):
    served.app.state.doors.is_closing = True
    assert served.get("/ready").status_code == 503
    assert served.get("/health").status_code == 200


def test_a_route_needs_known_scopes():
    with pytest.raises(ValueError, match="unknown scopes"):
        needs("everything")


def test_events_that_come_together_wait_for_the_disk_once():
    batches = []

    def slow(events):
        time.sleep(0.05)
        batches.append(len(events))

    served = Served(Saying(), audit=slow, routers=[echo_router()])

    async def ask():
        async with served.client() as client:
            headers = {"authorization": "Bearer osler_test_key"}
            await asyncio.gather(*(client.post("/studies/in", content=b"a", headers=headers) for _ in range(30)))

    asyncio.run(ask())
    assert sum(batches) == 30 and len(batches) <= 4


def test_turned_away_requests_are_entered_as_a_number():
    served = Served(Saying(), limits=Limits(requests_per_minute=1, burst=1))

    async def ask():
        async with served.client() as client:
            for _ in range(80):
                await client.get("/ready", headers={"authorization": "Bearer osler_test_key"})

    asyncio.run(ask())
    assert [event.status for event in served.events].count(429) in {60, 61}
    assert served.app.state.doors.num_unrecorded + len(served.events) == 80

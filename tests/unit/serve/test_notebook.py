import sys
import urllib.request

import pytest

from chat_server import Fault, chat_server
from osler.core.errors import InputError
from osler.endpoint.chat import EndpointError
from osler.endpoint.client import Client, Retry
from osler.serve.notebook import ask, show

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8


@pytest.fixture
def service():
    """A served model, and a client of it that asks once."""
    with chat_server(lambda body: {"content": "two lungs", "reasoning_content": "I count."}) as server:
        client = Client(server.url, "toy", retry=Retry(max_tries=1))
        server.clients.append(client)
        yield server, client


def test_images_and_question_are_asked_in_order(service, tmp_path):
    server, client = service
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    assert ask(client, "How many?", [tmp_path / "a.png", tmp_path / "b.jpg"]) == ("two lungs", "I count.")
    parts = server.requests[0]["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["image_url", "image_url", "text"]
    assert parts[0]["image_url"]["url"].startswith("data:image/png;base64,")
    assert parts[1]["image_url"]["url"].startswith("data:image/jpeg;base64,")


def test_what_cannot_be_asked_is_said(service, tmp_path):
    _, client = service
    with pytest.raises(InputError, match="there is no question"):
        ask(client, " ", [])
    (tmp_path / "scan.dcm").write_bytes(b"\0" * 128 + b"DICM")
    with pytest.raises(InputError, match=r"scan.dcm is neither PNG nor JPEG"):
        ask(client, "What?", [tmp_path / "scan.dcm"])


def test_a_refusal_of_the_service_reaches_the_page():
    refusing = chat_server(lambda body: Fault(status=400))
    with refusing as server, Client(server.url, "toy") as client, pytest.raises(EndpointError):
        ask(client, "What?", [])


def test_without_gradio_the_extra_is_named(service, monkeypatch):
    server, _ = service
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(InputError, match=r"osler\[demo\]"):
        show(server.url, "toy")
    with pytest.raises(InputError, match="has no model 'other'"):
        show(server.url, "other")


def test_the_page_is_on_this_machine_only_and_says_what_it_is_not(service):
    pytest.importorskip("gradio", reason="the extra `demo` lives in an environment of its own")
    server, _ = service
    page = show(server.url, "toy", key="osler_secret_key")
    try:
        html = urllib.request.urlopen(page.local_url).read().decode()
        assert page.local_url.startswith("http://127.0.0.1:") and page.share_url is None
        assert "Not a medical device" in html and "osler_secret_key" not in html
        assert page.analytics_enabled is False
    finally:
        page.close()

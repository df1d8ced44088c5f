"""A chat server for tests: real HTTP on loopback, whose answers and faults a test writes down."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Fault:
    """What goes wrong with one request: a status with a body, a wait before the reply, or a reply cut in half."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    cut: bool = False


Answer = str | dict[str, Any] | Fault


@dataclass
class ChatServer:
    """Answers each request with `answer(body)`: a text, a whole message, or a fault. `requests` keeps the bodies.

    `clients`: what a test opened towards it, closed with it.
    """

    answer: Callable[[dict[str, Any]], Answer]
    models: tuple[str, ...] = ("toy",)
    key: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    clients: list[Any] = field(default_factory=list)

    def texts(self) -> list[str]:
        """The last message of each request, as text."""
        return [words(body) for body in self.requests]


def words(body: dict[str, Any]) -> str:
    """The text of the last message of a request."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # header and body in one packet: in two, the second waits for the client's delayed receipt
    state: ChatServer

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self._allowed():
            self._send(200, json.dumps({"object": "list", "data": [{"id": name} for name in self.state.models]}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._allowed():
            return
        if body["model"] not in self.state.models:
            self._send(404, json.dumps({"error": {"message": f"model {body['model']!r} does not exist"}}))
            return
        with self.state.lock:
            self.state.requests.append(body)
        reply = self.state.answer(body)
        if isinstance(reply, Fault):
            time.sleep(reply.wait_s)
            self._send(reply.status, reply.body or _reply("late", body), reply.headers, cut=reply.cut)
        else:
            self._send(200, _reply(reply, body))

    def _allowed(self) -> bool:
        if self.state.key and self.headers.get("Authorization") != f"Bearer {self.state.key}":
            self._send(401, json.dumps({"error": {"message": "invalid key"}}))
            return False
        return True

    def _send(self, status: int, text: str, headers: dict[str, str] | None = None, *, cut: bool = False) -> None:
        data = text.encode()
        try:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut else data)
            self.wfile.flush()
            self.close_connection = self.close_connection or cut
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client gave up waiting, as some tests want it to


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up while it waits is what some tests want; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def chat_server(
    answer: Callable[[dict[str, Any]], Answer], *, models: tuple[str, ...] = ("toy",), key: str = ""
) -> Iterator[ChatServer]:
    """A server that runs inside the block."""
    state = ChatServer(answer, models, key)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield state
    finally:
        for client in state.clients:
            client.close()
        server.shutdown()
        server.server_close()


def _reply(answer: str | dict[str, Any], body: dict[str, Any]) -> str:
    message = {"role": "assistant", "content": answer} if isinstance(answer, str) else answer
    num_in = sum(len(str(each["content"]).split()) for each in body["messages"])
    usage = {"prompt_tokens": num_in, "completion_tokens": len(str(message.get("content")).split())}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"id": "x", "model": body["model"], "choices": [choice], "usage": usage})

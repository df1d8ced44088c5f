"""Shell: the page's files, the only thing beside /health that is served without a key.

They are the same bytes in every house and hold no data; a key is typed into the page and kept in its memory. They stand
outside the gate as an exact list of paths whose bytes were read when the server started: no path is ever joined to a
folder, nothing behind the gate can be reached through them, and every other path goes to the gate.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

PAGE_PATH = "/"
FILES_PATH = "/page/"
CONTENT_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
_HEADERS = {
    # The browser asks each time whether its copy is still that of this server, so an update counts at once.
    "cache-control": "no-cache",
    "content-security-policy": CONTENT_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class PageFile:
    """A file as it is sent. etag: of its bytes, in quotes."""

    data: bytes
    media_type: str
    etag: str


def page_files(folder: Traversable | None = None) -> dict[str, PageFile]:
    """Every path that is served, with its file. `folder`: where the files lie; the package's own if None.

    Raises:
        ValueError: a file is of a type that is not served.
    """
    found = {}
    for entry in (folder or files("osler.serve.page") / "files").iterdir():
        kind = entry.name.rpartition(".")[2]
        if kind not in _TYPES or not entry.is_file():
            raise ValueError(f"the page has no use for {entry.name}; it is made of {', '.join(_TYPES)}")
        data = entry.read_bytes()
        path = PAGE_PATH if entry.name == "index.html" else FILES_PATH + entry.name
        found[path] = PageFile(data, _TYPES[kind], f'"{hashlib.sha256(data).hexdigest()[:32]}"')
    return found


def add_page(app: FastAPI) -> None:
    """Serve the page at `/`, around the gate. Call it once the app is made and before it is started."""
    app.add_middleware(Shell, served=page_files())


class Shell:
    """ASGI middleware that answers GET and HEAD of the page's paths and hands on everything else."""

    def __init__(self, app: ASGIApp, *, served: Mapping[str, PageFile]) -> None:
        self._app, self._served = app, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        is_read = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        file = self._served.get(scope["path"]) if is_read else None
        if file is None:
            await self._app(scope, receive, send)
            return
        is_known = file.etag.encode() in dict(scope["headers"]).get(b"if-none-match", b"")
        own = {"etag": file.etag} if is_known else {"etag": file.etag, "content-type": file.media_type}
        if not is_known:
            own["content-length"] = str(len(file.data))
        raw = [(name.encode(), value.encode()) for name, value in {**_HEADERS, **own}.items()]
        await send({"type": "http.response.start", "status": 304 if is_known else 200, "headers": raw})
        body = b"" if is_known or scope["method"] == "HEAD" else file.data
        await send({"type": "http.response.body", "body": body})

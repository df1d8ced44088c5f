"""What the tests of the page share: a server on a real socket with scripted models, and a browser that opens it."""

import asyncio
import base64
import io
import shutil
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import uvicorn
from PIL import Image

from identities import dicom_file
from osler.serve.page.shell import add_page
from osler.serve.studies.routes import studies_router
from serve_world import KEY, UNHURRIED, Saying, Served
from studies_world import opened

PICTURES = Path("out/reader_page")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
THOUGHT = "The costophrenic angle is blunted on one side. A meniscus is seen."
WORDS = (
    "Findings:\nThe right costophrenic angle is blunted, with a meniscus <ref>effusion</ref>"
    "<box>[120, 560, 430, 880]</box>.\nThe left lung is clear. The heart is of normal size.\n\n"
    "Impression:\nSmall right pleural effusion."
)


def harmony(thought, words):
    """Raw pieces as a model with channels writes them."""

    def cut(text):
        return [text[place : place + 12] for place in range(0, len(text), 12)]

    return [
        "<|channel|>analysis<|message|>", *cut(thought), "<|end|><|start|>assistant<|channel|>final<|message|>",
        *cut(words), "<|return|>",
    ]  # fmt: skip


@dataclass
class World:
    """A running server. engines: what each was asked is kept in `asked`."""

    url: str
    served: Served
    engines: list[Saying] = field(default_factory=list)


@contextmanager
def running(*, engines=None, limits=UNHURRIED, with_studies=True):
    """The gateway with the page and the routes of studies, on a free port of this machine."""
    engines = engines or [
        Saying(pieces=harmony(THOUGHT, WORDS), model="osler-20b", wait_s=0.005),
        Saying(pieces=harmony("Both lungs are clear.", "No pleural effusion is seen."), model="peer-8b", wait_s=0.002),
    ]
    studies = opened() if with_studies else None
    routers = [studies_router(studies)] if studies else []
    served = Served(engines, limits=limits, routers=routers)
    add_page(served.app)
    server = uvicorn.Server(uvicorn.Config(served.app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive() and time.monotonic() < until, "the server does not start"
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield World(f"http://127.0.0.1:{port}", served, engines)
    finally:
        server.should_exit = True
        thread.join(20)
        if studies:
            studies.close()


@contextmanager
def browser():
    """Headless Chromium, told to speak to nobody but this machine."""
    from playwright.sync_api import sync_playwright

    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-quic"]
    away = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as player:
        opened_browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *quiet, *away])
        try:
            yield opened_browser
        finally:
            opened_browser.close()


class Tab:
    """A page that writes down all requests, errors and lines of the console."""

    def __init__(self, opened_browser, url, *, width=1280, height=900, scheme="dark", **options):
        self.context = opened_browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, accept_downloads=True, **options
        )
        self.page = self.context.new_page()
        self.url, self.requests, self.problems, self.bodies = url, [], [], []
        self.page.on("request", self._note)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto(url)

    def _note(self, request):
        self.requests.append(request.url)
        if request.method == "POST" and request.url.endswith("/v1/chat/completions"):
            self.bodies.append(request.post_data_json)

    def _hear(self, line):
        # The tests, not the page, read drawn pixels back.
        if line.type in {"error", "warning"} and "willReadFrequently" not in line.text:
            self.problems.append(line.text)

    def until(self, script, *, timeout_s=15):
        """Ask until `script` is true: the policy of the page forbids what wait_for_function does."""
        end = time.monotonic() + timeout_s
        while not self.page.evaluate(script):
            if time.monotonic() > end:
                said = self.page.evaluate("[...document.querySelectorAll('.notice')].map((e) => e.textContent)")
                raise AssertionError(f"never: {script}; the page says {said}; problems {self.problems}")
            time.sleep(0.02)

    def sign_in(self, key=KEY):
        self.page.fill("#key", key)
        self.page.press("#key", "Enter")
        self.until("!document.getElementById('work').hidden")

    def load(self, files, *, series):
        """Give files, as (name, bytes), and wait until there are so many series."""
        given = [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
        self.page.set_input_files("#files", given)
        self.until(f"document.querySelectorAll('#series li').length === {series}", timeout_s=60)

    def ask(self, words):
        self.page.fill("#question", words)
        self.answered(lambda: self.page.press("#question", "Control+Enter"))

    def answered(self, act):
        """Do what asks, and wait until the models have answered."""
        before, end = len(self.bodies), time.monotonic() + 15
        act()
        while len(self.bodies) == before:
            assert time.monotonic() < end, "nothing was asked"
            self.page.wait_for_timeout(20)
        self.until("!document.body.classList.contains('busy')")

    def close(self):
        self.context.close()


def chest(rows=2048, columns=2048, bits=12, shift=0.0):
    """Something like a chest film: two dark lungs, a heart and ribs, in the upper part of the range."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)

    def falling(values):
        return 0.5 - 0.5 * np.tanh(values / 2)

    u, v = x / columns - 0.5, y / rows - 0.5
    film = 0.72 - 0.25 * (u**2 + v**2)
    for side in (-1, 1):
        lung = ((u - side * (0.21 + shift)) / 0.17) ** 2 + ((v + 0.02) / 0.34) ** 2
        film -= 0.38 * falling((lung - 1) * 9)
    film += 0.3 * falling((((u - 0.05) / 0.13) ** 2 + ((v - 0.16) / 0.17) ** 2 - 1) * 7)
    film += 0.05 * np.maximum(0, np.sin((v + 0.5 * u**2) * 62)) * (np.abs(u) < 0.4)
    film += 0.14 * falling((np.hypot((u + 0.25) / 0.11, (v - 0.24) / 0.1) - 1) * 6)
    film += np.random.default_rng(7).normal(0, 0.012, film.shape)
    film *= np.clip((0.5 - np.abs(u)) * 14, 0, 1)
    return (np.clip(film, 0, 1) * ((1 << bits) - 1)).astype(np.uint16)


def png(pixels):
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "PNG")
    return made.getvalue()


def film(number, day, **options):
    """A radiograph of 12 bits as a DICOM file; `number` 0 and 2 are two studies of one patient."""
    return dicom_file(number, pixels=options.pop("pixels", None), StudyDate=day, Modality="DX", **options)


def keep_picture(name, tab):
    tab.page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=True)


def sent_images(body):
    parts = [part for message in body["messages"] if message["role"] == "user" for part in message["content"]]
    return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


def bytes_of(uri):
    return base64.b64decode(uri.split(",", 1)[1])


def findings(tab):
    """What axe-core calls serious or critical."""
    import axe_playwright_python

    script = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    tab.page.evaluate(script)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = tab.page.evaluate(
        "(tags) => axe.run(document, { runOnly: { type: 'tag', values: tags } }).then((r) => r.violations)", tags
    )
    return [
        (each["id"], [node["target"] for node in each["nodes"]])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]

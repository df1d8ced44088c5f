"""A real service: the command in a process of its own, a small model, real sockets."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import yaml
from chain import ROOT
from PIL import Image

from osler.core.files import sha256_file
from osler.media.image import encode_png8
from osler.model import checkpoint
from osler.model.families.tiny import FAMILY
from osler.model.prompt import conversation_text
from osler.serve.keys import add_key
from toy import picture, samples

TINY = yaml.safe_load((ROOT / "recipes" / "tiny" / "serve.yaml").read_text())


def save_model(out: Path) -> Path:
    """An untrained tiny model with its manifest, as `osler train` leaves one."""
    model, processing = FAMILY.build([conversation_text(s) for n in range(20) for s in samples(n)], seed=0)
    checkpoint.save(model, processing, out / "model")
    outputs = {path.relative_to(out).as_posix(): sha256_file(path) for path in (out / "model").iterdir()}
    (out / "manifest.json").write_text(json.dumps({"outputs": outputs}))
    return out / "model"


@dataclass
class Service:
    """A service that runs. `keys` are those of its two users."""

    url: str
    pid: int
    out: Path
    log: Path
    temp: Path
    keys: dict[str, str]
    process: Any = None
    client: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx2.Client(base_url=self.url, timeout=60, trust_env=False)

    def headers(self, who: str = "a") -> dict[str, str]:
        return {"authorization": f"Bearer {self.keys[who]}"}

    def chat(self, content: Any, *, who: str = "a", **fields: Any) -> httpx2.Response:
        """One chat of one user message."""
        body = {"model": "tiny", "messages": [{"role": "user", "content": content}], "max_tokens": 8, **fields}
        return self.client.post("/chat/completions", json=body, headers=self.headers(who))

    def metric(self, name: str) -> float:
        """A number of /metrics."""
        text = self.client.get(self.url.removesuffix("/v1") + "/metrics", headers=self.headers()).text
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))


@contextmanager
def running(folder: Path, recipe: dict[str, Any], *, under: Sequence[str] = ()) -> Iterator[Service]:
    """`osler serve` with changes to the tiny recipe, in `folder`, which ends in good order after the block.

    `under` is a command that runs and watches it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keys = {who: add_key(folder / "keys.json", who, scopes=["chat", "metrics", "study"]) for who in ("a", "b")}
    changed = {**TINY, "keys": str(folder / "keys.json"), **recipe}
    changed = {name: value for name, value in changed.items() if value is not None}
    (folder / "serve.yaml").write_text(yaml.safe_dump(changed))
    (folder / "tmp").mkdir()
    command = [
        *under,
        sys.executable,
        "-m",
        "osler.cli.main",
        "serve",
        str(folder / "serve.yaml"),
        "--out",
        str(folder / "out"),
    ]
    with (folder / "log").open("wb") as log:
        environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        url = _address(folder / "log", process)
        pid = children(process.pid)[0] if under else process.pid
        service = Service(url, pid, folder / "out", folder / "log", folder / "tmp", keys, process)
        with service.client:
            yield service
    finally:
        if under:
            os.kill(children(process.pid)[0], signal.SIGTERM)
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0, (folder / "log").read_text()


def _address(log: Path, process: Any) -> str:
    for _ in range(3000):
        text = log.read_text()
        if "serving tiny on " in text:
            return text.partition("serving tiny on ")[2].split()[0]
        assert process.poll() is None, text
        time.sleep(0.1)
    raise AssertionError(log.read_text())


class Memory:
    """The largest resident size of a process and its children while a block runs, in MB over that at its beginning."""

    def __init__(self, pid: int) -> None:
        self._pid, self.growth_mb, self._stopped = pid, 0.0, threading.Event()

    def __enter__(self) -> "Memory":
        self._start = resident_mb(self._pid)
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._stopped.wait(0.005):
            self.growth_mb = max(self.growth_mb, resident_mb(self._pid) - self._start)

    def __exit__(self, *exception: object) -> None:
        self._stopped.set()
        self._thread.join()


def resident_mb(pid: int) -> float:
    """Of a process and its children."""
    total = 0.0
    for each in (pid, *children(pid)):
        try:
            total += int(Path(f"/proc/{each}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended between the two reads
    return total


def children(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def saved(form, size, mode="L", **options):
    out = io.BytesIO()
    Image.new(mode, size).save(out, form, **options)
    return out.getvalue()


def uri(data: bytes, kind: str = "png") -> dict[str, Any]:
    """A part of a message that shows a file."""
    return {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{base64.b64encode(data).decode()}"}}


def film(number: int) -> dict[str, Any]:
    """A part of a message that shows a drawn picture."""
    return uri(encode_png8(picture(number)[0]))

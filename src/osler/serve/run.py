"""`osler serve`: check everything that can be wrong, then serve until told to stop."""

import asyncio
import errno
import logging
import resource
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from osler.core.config import Recipe
from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.core.log import Log
from osler.serve.app import make_app
from osler.serve.audit.config import OpenAudit, open_audit
from osler.serve.config import EmbeddedConfig, ListenConfig, OtherConfig, ServeConfig
from osler.serve.engine import Engine
from osler.serve.keys import Keys, Visitor
from osler.serve.model_files import verified_sha256
from osler.serve.page.shell import add_page
from osler.serve.studies.config import Opened, StudiesConfig, open_studies
from osler.serve.studies.routes import studies_router
from osler.serve.trail import Recorder

_BACKLOG = 512
_SWITCH_S = 0.0002
_IDLE_S = 30


def parse(recipe: Recipe) -> ServeConfig:
    """The recipe, checked."""
    return ServeConfig.parse(recipe)


def run(config: ServeConfig, out: Path, *, device: str, log: Log) -> None:
    """Serve until SIGTERM or Ctrl-C, then let requests under way end.

    Raises:
        InputError: whatever keeps the service from starting, found before the model is loaded where that is possible.
    """
    # The engine's thread takes the interpreter back after each of its many short operations; with the usual 5 ms it
    # would wait that long each time while requests are read.
    sys.setswitchinterval(_SWITCH_S)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold what patients' requests left in memory
    who = _visitors(config)
    _prepare(out, config.min_free_mib)
    with (
        _listening(config.listen) as sock,
        _silent_libraries(),
        open_audit(config.audit, out) as trail,
        _studies(config.studies, trail) as studies,
    ):
        engine = open_engine(config, out, device=device, log=log)
        others = [
            open_engine(one, out / "others" / str(number), device=device, log=log)
            for number, one in enumerate(config.others, start=1)
        ]
        for line in trail.said:
            log.warn(line)
        limits, routers = config.limits.plain(), []
        if studies is not None:
            uploads = {"/v1/studies": studies.max_upload_bytes}
            limits = replace(limits, body_bytes_below={**limits.body_bytes_below, **uploads})
            routers = [studies_router(studies)]
        app = make_app(
            [engine, *others], who=who, limits=limits, audit=trail.log.write, digest_key=trail.digest_key,
            bundle_sha256=engine.model_sha256, routers=routers, say=log.info,
        )  # fmt: skip
        if config.page:
            add_page(app)
        asyncio.run(_serve(app, sock, config.listen, log))
    log.info("stopped; every request that was let in has been answered or told")


def open_engine(config: ServeConfig | OtherConfig, out: Path, *, device: str, log: Log) -> Engine:
    """The engine that the recipe names."""
    if config.embedded is not None:
        return open_embedded(config.embedded, config.name, device=device, log=log)
    from osler.serve.engines.external import open_external

    if config.external is None:
        raise InputError("no engine")
    return open_external(config.external, config.name, out=out, log=log)


def open_embedded(config: EmbeddedConfig, name: str, *, device: str, log: Log) -> Engine:
    """The model in this process. Raises InputError where its files are not those of its manifest."""
    sha256 = verified_sha256(config.model, config.manifest)
    if config.sha256 not in {None, sha256}:
        raise InputError(f"{config.model} is another model", expected=f"sha256 {config.sha256}", got=sha256)
    import torch

    from osler.model import checkpoint
    from osler.serve.engines.embedded import EmbeddedEngine

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"no device {device}", expected="a GPU that torch can use", fix="Serve with --device cpu.")
    kinds = {"auto": torch.bfloat16 if device.startswith("cuda") else torch.float32}
    dtype = kinds.get(config.dtype) or getattr(torch, config.dtype)
    log.info(f"loading {config.model}: sha256 {sha256[:16]}..., {str(dtype).removeprefix('torch.')} on {device}")
    model, processing = checkpoint.load(config.model, device=device, dtype=dtype, experts="auto")
    return EmbeddedEngine(
        model, processing, name=name, sha256=sha256, num_slots=config.num_slots,
        max_prefill_tokens=config.max_prefill_tokens, feature_cache_bytes=config.feature_cache_mib << 20,
    )  # fmt: skip


def _visitors(config: ServeConfig) -> Callable[[str], Visitor | None]:
    keys = Keys(config.keys)
    if config.oidc is None:
        return keys.visitor
    from osler.serve.oidc import open_tokens

    tokens = open_tokens(config.oidc)

    def who(shown: str) -> Visitor | None:
        return tokens.visitor(shown) if shown.count(".") == 2 and "_" not in shown[:6] else keys.visitor(shown)

    return who


def _prepare(out: Path, min_free_mib: int) -> None:
    """The folder of the audit trail, with room in it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / f".probe-{secrets.token_hex(4)}"
        probe.write_bytes(b"x")
        probe.unlink()
        free_mib = shutil.disk_usage(out).free >> 20
    except OSError as error:
        reason = "the disk is full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else error.strerror
        raise InputError(f"cannot write to {out}: {reason}", fix="The audit trail is written there.") from error
    if free_mib < min_free_mib:
        raise InputError(
            f"{free_mib} MiB are free under {out}", expected=f"at least {min_free_mib} MiB for the audit trail",
            fix="Free some space, or choose another --out.",
        )  # fmt: skip


@contextmanager
def _listening(listen: ListenConfig) -> Iterator[socket.socket]:
    """The socket, bound before the model is loaded: a port in use is told at once."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    for path in (listen.tls.certificate, listen.tls.private_key) if listen.tls else ():
        existing_file(path)
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((listen.host, listen.port))
            sock.listen(_BACKLOG)
        except (OSError, UnicodeError) as error:
            raise InputError(
                f"cannot listen on {listen.host} port {listen.port}: {getattr(error, 'strerror', error)}",
                fix="Is another service there? Choose another with listen.port=NUMBER.",
            ) from error
        yield sock


@contextmanager
def _silent_libraries() -> Iterator[None]:
    """No line of another package reaches the log: tracebacks and warnings repeat what was sent."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _studies(config: StudiesConfig | None, trail: OpenAudit) -> Iterator[Opened | None]:
    """What reads, pulls and receives studies, where the recipe has any of it."""
    recorder = Recorder(trail.log.write, digest_key=trail.digest_key, model="", bundle_sha256="")
    opened = open_studies(config, recorder=recorder) if config is not None else None
    try:
        yield opened
    finally:
        if opened is not None:
            opened.close()


class _Server(uvicorn.Server):
    """Ends in good order on a signal, with the exit code of a command that is done."""

    def __init__(self, settings: uvicorn.Config, ready: Callable[[], Any], closing: Callable[[], None]) -> None:
        super().__init__(settings)
        self._ready, self._closing = ready, closing

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        await self._ready()

    def _stop(self) -> None:
        self._closing()
        self.should_exit = True


async def _serve(app: FastAPI, sock: socket.socket, listen: ListenConfig, log: Log) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, told: log.warn(f"a task failed: {type(told.get('exception')).__name__}"))

    async def ready() -> None:
        await app.state.decoders.warm_up()
        host, port = sock.getsockname()[:2]
        names = ", ".join(app.state.engines)
        log.info(f"serving {names} on {'https' if listen.tls else 'http'}://{host}:{port}/v1")

    def closing() -> None:
        log.info(f"closing: no new requests; those under way have {listen.drain_s} s")
        app.state.doors.is_closing = True

    settings = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, date_header=False, proxy_headers=False,
        lifespan="on", ws="none", timeout_keep_alive=_IDLE_S, timeout_graceful_shutdown=listen.drain_s,
        ssl_certfile=listen.tls.certificate if listen.tls else None,
        ssl_keyfile=listen.tls.private_key if listen.tls else None,
    )  # fmt: skip
    await _Server(settings, ready, closing).serve(sockets=[sock])

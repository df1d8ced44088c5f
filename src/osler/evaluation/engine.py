"""Engine: the backend that a recipe names, opened when it is first needed, and what of it decides an answer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from osler.core.catalog import BACKENDS
from osler.core.files import write_json
from osler.core.log import Log
from osler.core.settings import read_settings
from osler.endpoint.client import Retry
from osler.evaluation.conditions import Ask
from osler.evaluation.config import EvalConfig
from osler.evaluation.identity import folder_sha256
from osler.evaluation.runner import LoadBackend
from osler.infer.generator import Backend


@contextmanager
def open_engine(config: EvalConfig, out: Path, *, device: str, log: Log) -> Iterator[LoadBackend]:
    """A function that opens the backend when it is first called, and leaves a record of how it decodes."""
    opened: list[Backend] = []

    def load(asks: Sequence[Ask]) -> Backend:
        if not opened:
            opened.append(_open(config, device=device, log=log))
            if hasattr(opened[0], "check"):
                opened[0].check(vision=any(ask.image_sha256s for ask in asks))
            record = {"backend": opened[0].name, "device": device, **getattr(opened[0], "record", {})}
            write_json(out / "decode.json", record | ({} if config.endpoints else {"batch_size": config.batch_size}))
        return opened[0]

    try:
        yield load
    finally:
        if opened and hasattr(opened[0], "close"):
            opened[0].close()


def model_identity(config: EvalConfig) -> dict[str, Any]:
    """What of the model and the engine decides an answer. A URL does not: a server may move."""
    shared = {"name": config.name, "backend": config.backend}
    if config.model is not None:
        # In another batch a sum may round otherwise.
        return shared | {"weights": folder_sha256(config.model), "batch_size": config.batch_size}
    served = sorted({endpoint.model for endpoint in config.endpoints})
    return shared | {"served": served, "revision": config.remote.revision, "extra": config.remote.extra}


def _open(config: EvalConfig, *, device: str, log: Log) -> Backend:
    make = BACKENDS.load(config.backend)
    if config.model is not None:
        backend: Backend = make(config.model, device)
        return backend
    remote = config.remote
    served: Backend = make(
        [(endpoint.url, endpoint.model) for endpoint in config.endpoints],
        key=read_settings().api_key,
        retry=Retry(remote.max_tries, remote.first_wait_s),
        timeout_s=remote.timeout_s,
        concurrency=remote.concurrency,
        requests_per_minute=remote.requests_per_minute,
        extra=remote.extra,
        warn=log.warn,
    )
    return served

"""Jobs as tasks on a Ray cluster; the only file that knows Ray.

Core tasks and not Ray Data: a job's input is a list of paths and its output lies in files, so no block of images goes
through an object store, and what is lost when a machine dies is the shard that it was at.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from osler.core.errors import InputError, OslerError

T = TypeVar("T")
J = TypeVar("J")
_TASKS_AHEAD = 2
_OBJECT_STORE_BYTES = 128 * 2**20


def work_on_ray(
    make: Callable[[J], T], jobs: Iterable[J], *, address: str, num_cpus: float, num_tasks: int
) -> Iterator[T]:
    """What `make` returns for each job, in order; at most twice `num_tasks` jobs are handed over and not yet done.

    Args:
        make: travels to the machines of the cluster, which must have this package installed.
        jobs: likewise.
        address: of a cluster, `auto` for the one this machine belongs to, `local` to start one for this run.
        num_cpus: what a task reserves.
        num_tasks: tasks at work at once; those of a local cluster have CPUs enough.

    Raises:
        InputError: Ray is not installed, no cluster answers, or what `make` raised.
    """
    ray = _load_ray()
    with _cluster(ray, address, num_cpus * num_tasks):
        task = ray.remote(num_cpus=num_cpus, max_retries=3)(_call)
        shared, folder = ray.put(make), str(Path.cwd())
        waiting: list[Any] = []
        for job in jobs:
            waiting.append(task.remote(shared, job, folder))
            while waiting and (len(waiting) >= _TASKS_AHEAD * num_tasks or _is_done(ray, waiting[0])):
                yield _result(ray, waiting.pop(0))
        for reference in waiting:
            yield _result(ray, reference)


def _call(make: Callable[[J], T], job: J, folder: str) -> T:
    # Paths of a recipe are relative to where the command was started; a worker of a cluster starts somewhere else.
    os.chdir(folder)
    return make(job)


@contextmanager
def _cluster(ray: Any, address: str, num_cpus: float) -> Iterator[None]:
    """Connected to a cluster. One that is started here tells nobody: no usage reports, no dashboard."""
    started = {"num_cpus": num_cpus, "object_store_memory": _OBJECT_STORE_BYTES, "include_dashboard": False}
    try:
        ray.init(
            address=address, log_to_driver=False, logging_level=logging.ERROR, **(started if address == "local" else {})
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(
            f"cannot use a Ray cluster at {address!r} ({error})",
            expected="executor.address: local, auto or HOST:PORT",
            fix="Start one with `ray start --head --disable-usage-stats` and this command's RAY_AUTH_MODE and "
            "RAY_AUTH_TOKEN, or use address: local.",
        ) from error
    try:
        if address == "local":
            _check_silent()
        yield
    finally:
        ray.shutdown()


def _check_silent() -> None:
    """Ray's releases send no usage reports from a cluster that a program starts for itself; its nightly builds do."""
    from ray._common.usage.usage_lib import usage_stats_enabled

    if usage_stats_enabled():
        raise InputError(
            "this build of Ray reports its usage over the network",
            fix="Turn that off with `ray disable-usage-stats`, or install a release of Ray.",
        )


def _is_done(ray: Any, reference: Any) -> bool:
    return bool(ray.wait([reference], timeout=0)[0])


def _result(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        # What the task raised, without the traces of two processes around it.
        if isinstance(error.cause, OslerError):
            raise error.cause from None
        raise


def _load_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise InputError(
            "executor.kind: ray needs the package ray",
            fix="Install the extra that brings it: pip install 'osler[ray]'.",
        ) from error
    return ray

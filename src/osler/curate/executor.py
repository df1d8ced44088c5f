"""Executor: where the jobs of a run are worked on: on this machine, shared by the ranks of an array, or on Ray.

A shard has the same bytes whoever makes it: a job is all that its maker is told.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from osler.core.config import Config
from osler.core.errors import InputError
from osler.core.settings import Settings
from osler.core.workers import worker_pool

T = TypeVar("T")
J = TypeVar("J")
_JOBS_AHEAD = 2


class ExecutorConfig(Config):
    """The section `executor` of a recipe. It says how the work is done and changes no byte of what comes out.

    kind: `local`, the processes of this machine; `rank`, this command is one of several that share the work and
        write to one folder on a shared disk; `ray`, tasks on a Ray cluster.
    rank, world: which of how many commands this one is; where left out, as SLURM says (`sbatch --array=0-99`, or the
        tasks of one `srun`). Rank r makes every shard whose number r leaves after division by `world`.
    address: of a Ray cluster, whose machines see the same disk; `local` starts one for this run on this machine.
    num_cpus: what a task of Ray reserves.
    recheck_media: read the media of shards that an earlier, cut run finished, to see that they are the same.
    """

    kind: Literal["local", "rank", "ray"] = "local"
    rank: NonNegativeInt | None = None
    world: PositiveInt | None = None
    address: str = "local"
    num_cpus: PositiveFloat = 1.0
    recheck_media: bool = True

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (self.rank is None) != (self.world is None):
            raise ValueError("executor: give rank and world, or neither to take them from SLURM")
        for key, kind in (("rank", "rank"), ("address", "ray"), ("num_cpus", "ray")):
            if self.kind != kind and key in self.model_fields_set and getattr(self, key) != _default(key):
                raise ValueError(f"executor: {key} is for kind {kind!r}, and this one's kind is {self.kind!r}")
        if self.rank is not None and self.world is not None and self.rank >= self.world:
            raise ValueError(f"executor: rank {self.rank} of {self.world}; ranks begin at 0")
        return self


@dataclass(frozen=True)
class Executor:
    """Where the work is done. num_workers: processes, or tasks of Ray, at once; 0 and 1 work in this process."""

    kind: Literal["local", "rank", "ray"] = "local"
    num_workers: int = 1
    rank: int = 0
    world: int = 1
    address: str = "local"
    num_cpus: float = 1.0


def make_executor(config: ExecutorConfig, num_workers: int, settings: Settings) -> Executor:
    """The executor of a recipe; the rank comes from SLURM where the recipe has none.

    Raises:
        InputError: kind `rank` with no rank said, or a rank that is none of `world`.
    """
    rank, world = 0, 1
    if config.kind == "rank":
        if config.rank is not None and config.world is not None:
            rank, world = config.rank, config.world
        elif settings.slurm is not None:
            rank, world = settings.slurm
        else:
            raise InputError(
                "the executor is of kind rank, and nothing says which rank this is",
                expected="executor.rank and executor.world, or an array job or a step of SLURM",
                fix="Add for example executor.rank=0 executor.world=4 to the command, with another rank in each.",
            )
        if not 0 <= rank < world:
            raise InputError(
                f"SLURM says that this is rank {rank} of {world}",
                expected="ranks from 0 to one less than their number",
                fix="Submit an array with even steps, such as --array=0-9, or give executor.rank and executor.world.",
            )
    return Executor(config.kind, num_workers, rank, world, config.address, config.num_cpus)


def work_on(executor: Executor, make: Callable[[J], T], jobs: Iterable[J]) -> Iterator[T]:
    """What `make` returns for each job, in the order of the jobs, which are taken only a few ahead of the work."""
    if executor.kind == "ray":
        from osler.curate.on_ray import work_on_ray

        return work_on_ray(
            make, jobs, address=executor.address, num_cpus=executor.num_cpus, num_tasks=max(1, executor.num_workers)
        )
    if executor.num_workers <= 1:
        return map(make, jobs)
    return _work_in_processes(executor.num_workers, make, jobs)


def _work_in_processes(num_workers: int, make: Callable[[J], T], jobs: Iterable[J]) -> Iterator[T]:
    with worker_pool(num_workers) as pool:
        waiting: list[Future[T]] = []
        for job in jobs:
            waiting.append(pool.submit(make, job))
            while waiting and (waiting[0].done() or len(waiting) >= _JOBS_AHEAD * num_workers):
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


def _default(key: str) -> Any:
    return ExecutorConfig.model_fields[key].default

"""The only place that reads or sets environment variables."""

import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    test_data: folder of real files in published layouts (`OSLER_TEST_DATA`).
    data_root: folder with a dataset in its published layout under each dataset's name (`OSLER_DATA`).
    api_key: sent to an OpenAI-compatible endpoint (`OSLER_API_KEY`); never shown.
    offline: no hub may be asked (`HF_HUB_OFFLINE`).
    num_processes: processes that torchrun started for one command (`WORLD_SIZE`); None where it started none.
    rank, local_rank: number of this process among all and among its machine's (`RANK`, `LOCAL_RANK`).
    slurm: number of this task, and of how many: in a job array from `SLURM_ARRAY_TASK_ID` and its like, else in a
        step from `SLURM_PROCID` and `SLURM_NTASKS`; None outside of SLURM.
    """

    test_data: Path
    offline: bool
    data_root: Path = Path("data")
    api_key: str = field(default="", repr=False)
    num_processes: int | None = None
    rank: int = 0
    local_rank: int = 0
    slurm: tuple[int, int] | None = None


def read_settings() -> Settings:
    """Read the environment, once, at the edge of the program."""
    num_processes = os.environ.get("WORLD_SIZE")
    return Settings(
        test_data=Path(os.environ.get("OSLER_TEST_DATA", "../shared/data")),
        data_root=Path(os.environ.get("OSLER_DATA", "data")),
        api_key=os.environ.get("OSLER_API_KEY", ""),
        offline=os.environ.get("HF_HUB_OFFLINE", "0").lower() in {"1", "true", "yes", "on"},
        num_processes=int(num_processes) if num_processes else None,
        rank=int(os.environ.get("RANK", "0")),
        local_rank=int(os.environ.get("LOCAL_RANK", "0")),
        slurm=_slurm(),
    )


def forbid_telemetry() -> None:
    """Tell libraries, before they are imported, that nobody is to be told of their use.

    TRL reports every trainer that is made to the hub, unless one of these is set.
    """
    os.environ.update(HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1")


def _slurm() -> tuple[int, int] | None:
    array = [os.environ.get(f"SLURM_ARRAY_TASK_{name}") for name in ("ID", "COUNT", "MIN", "STEP")]
    if array[0] and array[1]:
        number, count, first, step = (int(value or default) for value, default in zip(array, (0, 0, 0, 1), strict=True))
        return (number - first) // step, count
    number_of, num_tasks = os.environ.get("SLURM_PROCID"), os.environ.get("SLURM_NTASKS")
    return (int(number_of), int(num_tasks)) if number_of and num_tasks else None

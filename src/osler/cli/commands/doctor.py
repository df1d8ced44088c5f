"""Say what this machine and this installation can do."""

import argparse
import os
import platform
import shutil
from pathlib import Path

from osler.cli.arguments import Command

_GIB = 2**30


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--metrics",
        nargs="?",
        type=Path,
        const=Path(),
        metavar="RECIPE.yaml",
        help="say of every metric whether it is ready, with the metric_weights of a recipe where one is given",
    )


def _run(arguments: argparse.Namespace) -> int:
    if arguments.metrics is not None:
        from osler.scoring.report_metrics.doctor import metric_rows

        rows = metric_rows(_metric_weights(arguments.metrics))
        width = max(map(len, rows))
        for name, value in rows.items():
            print(f"{name:<{width}}  {value}")
        return 0
    for name, value in {**_machine(), **_settings(), **_packages()}.items():
        print(f"{name:<18}  {value}")
    return 0


def _metric_weights(recipe: Path) -> dict[str, Path]:
    """The recipe's folders; none where no recipe was given."""
    if recipe == Path():
        return {}
    from osler.core.config import load_recipe
    from osler.core.errors import InputError

    folders = load_recipe(recipe).get("metric_weights") or {}
    if not isinstance(folders, dict):
        raise InputError(f"{recipe}: metric_weights must be a mapping of names to folders", got=type(folders).__name__)
    return {str(name): Path(str(folder)) for name, folder in folders.items()}


def _machine() -> dict[str, str]:
    free = shutil.disk_usage(Path.cwd()).free / _GIB
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": f"{len(os.sched_getaffinity(0))} usable of {os.cpu_count()}",
        "memory": _memory(),
        "free disk here": f"{free:.1f} GiB",
        "accelerator": _accelerator(),
    }


def _memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    return f"{total:.1f} GiB"


def _accelerator() -> str:
    try:
        import torch
    except ModuleNotFoundError:
        return "not known (torch is not installed: pip install -e '.[train]')"
    if not torch.cuda.is_available():
        return "none (training and evaluation run on the CPU)"
    return str(torch.cuda.get_device_name(0))


def _settings() -> dict[str, str]:
    from osler.core.settings import read_settings

    settings = read_settings()
    there = "present" if settings.test_data.is_dir() else "absent (tests on real files are skipped)"
    return {"hub access": "off" if settings.offline else "on", "test data": f"{settings.test_data}, {there}"}


def _packages() -> dict[str, str]:
    from osler.cli.manifest import package_versions

    return package_versions()


COMMAND = Command(_add_arguments, _run)

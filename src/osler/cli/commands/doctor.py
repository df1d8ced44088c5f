"""Say what this machine and this installation can do, and with a recipe of `osler serve` whether it could start."""

import argparse
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from osler.cli.arguments import Command
from osler.core.errors import InputError

_GIB = 2**30
_NEEDED_GIB = 1.0
_DRIVER = Path("/proc/driver/nvidia/version")
_LAST_YEAR = 2100


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recipe", nargs="?", type=Path, metavar="RECIPE.yaml", help="of osler serve: could the service start here?"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="change a key of the recipe; key.sub=value")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder that the service writes to")
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
    num_problems = _print_checks(_CHECKS) + (_print_checks(_service(arguments)) if arguments.recipe else 0)
    print(f"{'problems':<18}  {num_problems or 'none'}")
    return 1 if num_problems else 0


def _service(arguments: argparse.Namespace) -> dict[str, Callable[[], str]]:
    from osler.cli.recipe_command import load_work
    from osler.core.config import load_recipe

    if arguments.out is None:
        raise InputError("no folder of the service", expected="--out DIR, as `osler serve` is given it")
    work = load_work("osler.serve.checkup")
    found: dict[str, Callable[[], str]] = work.checks(
        work.parse(load_recipe(arguments.recipe, arguments.overrides)), arguments.out
    )
    return found


def _print_checks(checks: dict[str, Callable[[], str]]) -> int:
    """Look at each, print a line, and count what is wrong."""
    num_problems = 0
    for name, look in checks.items():
        try:
            print(f"{name:<18}  ok: {look()}")
        except (InputError, OSError) as error:
            num_problems += 1
            print(f"{name:<18}  PROBLEM: {' '.join(str(error).split())}")
    return num_problems


def _disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free / _GIB
    if free < _NEEDED_GIB:
        raise InputError(f"{free:.2f} GiB are free here", expected=f"at least {_NEEDED_GIB:.0f} GiB")
    return f"{free:.1f} GiB are free here"


def _can_write() -> str:
    """In this folder and where temporary files go."""
    for folder in (None, Path.cwd()):
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    return f"here and in {tempfile.gettempdir()}"


def _clock() -> str:
    """A clock that was set back makes keys live again and breaks the order of an audit trail."""
    now = datetime.now(UTC)
    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now < installed - timedelta(days=1) or now.year >= _LAST_YEAR:
        raise InputError(
            f"the clock says {now:%Y-%m-%d %H:%M}", expected=f"later than {installed:%Y-%m-%d}, when this was installed"
        )
    return f"{now:%Y-%m-%d %H:%M:%S} UTC"


def _driver() -> str:
    """A driver whose GPU torch cannot use is a broken installation; no driver is a machine without a GPU."""
    if not _DRIVER.is_file():
        return "no NVIDIA driver: everything runs on the CPU"
    words = _DRIVER.read_text(encoding="utf-8", errors="replace").split("\n")[0]
    try:
        import torch
    except ModuleNotFoundError:
        return f"{words.strip()}; torch is not installed"
    if not torch.cuda.is_available():
        raise InputError(
            f"torch {torch.__version__} cannot use the GPU of {words.strip()}", fix="Install torch's build for it."
        )
    return words.strip()


_CHECKS: dict[str, Callable[[], str]] = {"disk": _disk, "writing": _can_write, "clock": _clock, "driver": _driver}


def _metric_weights(recipe: Path) -> dict[str, Path]:
    """The recipe's folders; none where no recipe was given."""
    if recipe == Path():
        return {}
    from osler.core.config import load_recipe

    folders = load_recipe(recipe).get("metric_weights") or {}
    if not isinstance(folders, dict):
        raise InputError(f"{recipe}: metric_weights must be a mapping of names to folders", got=type(folders).__name__)
    return {str(name): Path(str(folder)) for name, folder in folders.items()}


def _machine() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": f"{len(os.sched_getaffinity(0))} usable of {os.cpu_count()}",
        "memory": _memory(),
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

"""A command that reads a recipe and fills an output folder: curate, synth, train, eval, score, report.

Its module defines three functions: `parse(recipe)` gives a frozen config, `inputs(config)` names the files
and folders it reads, `run(config, out, *, device, log)` does the work, and continues it after a kill. It may define
`dry_run_lines(config, log)` besides: lines that `--dry-run` prints below the resolved recipe, as comments;
`SAME_RESULT`: keys of the recipe that say how the work is done and change no byte of the result, so that a run may be
continued with others; `shares_folder(config)`: whether other commands of this recipe write to the folder, too;
`is_wanting(out)`: whether a finished folder lacks something that another run of the same recipe may add.
"""

import argparse
import importlib
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.cli.arguments import Command, add_recipe_arguments
from osler.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from osler.core.config import Recipe


def recipe_command(module: str) -> Command:
    """The command whose work is done by `module`, a dotted path."""
    return Command(add_recipe_arguments, partial(_run_file, module))


def run_recipe(module: str, recipe: "Recipe", arguments: argparse.Namespace) -> int:
    """Resolve `recipe`, run `module` on it and leave a finished folder with its manifest behind."""
    from osler.cli.manifest import write_manifest
    from osler.cli.outfolder import Finished, open_folder, reopen
    from osler.core.log import Log
    from osler.core.settings import read_settings

    work = load_work(module)
    _refuse_processes(module, read_settings().num_processes)
    config = work.parse(recipe)
    resolved = config.model_dump(mode="json")
    if getattr(arguments, "dry_run", False):
        return _print_recipe(resolved, _dry_run_lines(work, config, arguments))
    out = _required(arguments.out)
    if read_settings().rank > 0:
        return _run_beside(work, config, out, arguments)
    inputs = [Path(path) for path in work.inputs(config)]
    asked = {key: value for key, value in resolved.items() if key not in getattr(work, "SAME_RESULT", ())}
    shared = hasattr(work, "shares_folder") and work.shares_folder(config)
    with open_folder(out, asked, inputs, overwrite=arguments.overwrite, shared=shared) as state:
        if isinstance(state, Finished):
            if not (hasattr(work, "is_wanting") and work.is_wanting(out)):
                print(f"{out}: already finished", file=sys.stderr)
                return 0
            state = reopen(out)
        outcome = work.run(config, out, device=arguments.device, log=Log(quiet=arguments.quiet))
        if outcome.is_finished:
            command = tuple(sys.argv[1:])
            write_manifest(out, started=state, outcome=outcome, device=arguments.device, command=command)
    print(outcome.message, file=sys.stderr)
    return 0


# Modules whose `run` may be called by several processes that torchrun started.
_PARALLEL = {"osler.train.run"}


def _refuse_processes(module: str, num_processes: int | None) -> None:
    if (num_processes or 1) > 1 and module not in _PARALLEL:
        raise InputError(
            f"{num_processes} processes were started, and this command is one process's work",
            fix="Start it without torchrun.",
        )


def _run_beside(work: Any, config: Any, out: Path, arguments: argparse.Namespace) -> int:
    """Work as another rank than the first, which alone holds the folder and says what there is to say."""
    from osler.cli.outfolder import is_finished
    from osler.core.log import Log

    # Rank 0 writes the manifest only after this process has worked to its end: one that is there already is old.
    if arguments.overwrite or not is_finished(out):
        work.run(config, out, device=arguments.device, log=Log(quiet=True))
    return 0


def _run_file(module: str, arguments: argparse.Namespace) -> int:
    from osler.core.config import load_recipe

    return run_recipe(module, load_recipe(arguments.recipe, arguments.overrides), arguments)


def load_work(module: str) -> Any:
    """The module at a dotted path. Raises InputError where a package that it needs is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "osler":
            raise
        raise InputError(
            f"this command needs the package {error.name!r}",
            fix="Install the extra that brings it: pip install -e '.[train,report]'.",
        ) from error


def _dry_run_lines(work: Any, config: Any, arguments: argparse.Namespace) -> "Iterable[str]":
    from osler.core.log import Log

    return work.dry_run_lines(config, Log(quiet=arguments.quiet)) if hasattr(work, "dry_run_lines") else ()


def _print_recipe(resolved: dict[str, Any], lines: "Iterable[str]") -> int:
    """The whole output is YAML, so that it can be kept as a recipe."""
    import yaml

    print(yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True), end="")
    for line in lines:
        print(f"# {line}".rstrip())
    return 0


def _required(out: Path | None) -> Path:
    if out is None:
        raise InputError("no output folder", expected="--out DIR", fix="Say where to write.")
    return out

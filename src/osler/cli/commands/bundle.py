"""Offline bundles: `bundle build RECIPE.yaml --out DIR`, `verify BUNDLE`, `install BUNDLE --out DIR`, `keys FILE`."""

import argparse
import time
from pathlib import Path

from osler.cli.arguments import Command, add_run_arguments, run_action, text_options
from osler.core.errors import InputError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", metavar="ACTION", help="build, verify, install, or keys")
    parser.add_argument(
        "path", type=Path, metavar="PATH", help="build: a recipe; verify, install: a folder or tar file"
    )
    parser.add_argument(
        "options",
        nargs="*",
        metavar="key=value",
        help="build: change a key of the recipe; verify, install: key=FINGERPRINT",
    )
    add_run_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="build: print the resolved recipe and stop")


def _run(arguments: argparse.Namespace) -> int:
    return run_action(arguments, {"build": _build, "install": _install, "keys": _keys, "verify": _verify})


def _build(arguments: argparse.Namespace) -> int:
    from osler.cli.recipe_command import run_recipe
    from osler.core.config import load_recipe

    return run_recipe("osler.serve.bundle.build", load_recipe(arguments.path, arguments.options), arguments)


def _verify(arguments: argparse.Namespace) -> int:
    from osler.cli.recipe_command import load_work

    work = load_work("osler.serve.bundle.verify")
    options = work.VerifyOptions.parse(text_options(arguments.options), "osler bundle verify")
    began = time.monotonic()
    found = work.verify(arguments.path, key=options.key)
    took_s = time.monotonic() - began
    for line in found.problems:
        print(f"problem: {line}")
    rate = found.num_bytes / 2**20 / max(took_s, 1e-9)
    print(f"{len(found.sums)} files, {found.num_bytes / 2**20:.1f} MiB in {took_s:.1f} s ({rate:.0f} MiB/s)")
    print(f"problems: {len(found.problems)}" if found.problems else f"whole; signed by {found.fingerprint}")
    return 1 if found.problems else 0


def _install(arguments: argparse.Namespace) -> int:
    from osler.cli.recipe_command import load_work
    from osler.core.log import Log

    work = load_work("osler.serve.bundle.install")
    options = work.InstallOptions.parse(text_options(arguments.options), "osler bundle install")
    if arguments.out is None:
        raise InputError("no folder to install into", expected="--out DIR", fix="Say where; it must be new or empty.")
    print(work.install(arguments.path, key=options.key, into=arguments.out, log=Log(quiet=arguments.quiet)))
    return 0


def _keys(arguments: argparse.Namespace) -> int:
    from osler.cli.recipe_command import load_work

    if arguments.options:
        raise InputError("`osler bundle keys` takes a file and no options", got=" ".join(arguments.options))
    print(load_work("osler.serve.signature").make_key(arguments.path).fingerprint)
    return 0


COMMAND = Command(_add_arguments, _run)

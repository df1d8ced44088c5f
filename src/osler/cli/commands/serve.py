"""Serve a model behind an OpenAI-compatible interface, with keys, limits and an audit trail."""

import argparse
import sys
from pathlib import Path

from osler.cli.arguments import Command
from osler.core.errors import InputError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", type=Path, metavar="RECIPE.yaml", help="what to serve")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="change a key of the recipe; key.sub=value")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the audit trail is written; kept over restarts")
    parser.add_argument("--device", default="cpu", help="cpu (the default), cuda or cuda:N")
    parser.add_argument("--quiet", action="store_true", help="say nothing but warnings and errors")
    parser.add_argument("--dry-run", action="store_true", help="print the resolved recipe and stop")


def _run(arguments: argparse.Namespace) -> int:
    from osler.cli.recipe_command import load_work
    from osler.core.config import load_recipe
    from osler.core.log import Log

    work = load_work("osler.serve.run")
    config = work.parse(load_recipe(arguments.recipe, arguments.overrides))
    if arguments.dry_run:
        import yaml

        yaml.safe_dump(config.model_dump(mode="json"), sys.stdout, sort_keys=False, allow_unicode=True)
        return 0
    if arguments.out is None:
        raise InputError("no folder for the audit trail", expected="--out DIR", fix="Say where to write.")
    work.run(config, arguments.out, device=arguments.device, log=Log(quiet=arguments.quiet))
    return 0


COMMAND = Command(_add_arguments, _run)

"""What a command is, and the flags that every command shares."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from osler.core.errors import InputError, did_you_mean


@dataclass(frozen=True)
class Command:
    """One command: the arguments it takes and what it does; `run` returns the exit code."""

    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """A parser whose mistakes are the user's input errors: one line, exit 2."""

    def error(self, message: str) -> NoReturn:
        raise InputError(message, fix=f"See `{self.prog} --help`.")


def command_parser(name: str, summary: str) -> argparse.ArgumentParser:
    """The parser of one command, with the flag that all share."""
    parser = _Parser(prog=f"osler {name}", description=summary, allow_abbrev=False)
    parser.add_argument("--debug", action="store_true", help="show tracebacks and the warnings of other packages")
    return parser


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    """The recipe and its overrides, and how to run it."""
    parser.add_argument("recipe", type=Path, metavar="RECIPE.yaml", help="what to do")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="change a key of the recipe; key.sub=value")
    add_run_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="print the resolved recipe and stop")


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to write, what to do with what is there, and on which device."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="continue a run that was cut (this is the default)")
    again.add_argument("--overwrite", action="store_true", help="remove what an earlier run wrote to DIR, then start")
    parser.add_argument("--device", default="cpu", help="cpu (the default), cuda or cuda:N")
    parser.add_argument("--quiet", action="store_true", help="say nothing but warnings, errors and the last line")


def run_action(arguments: argparse.Namespace, actions: Mapping[str, Callable[[argparse.Namespace], int]]) -> int:
    """Do what `arguments.action` names. Raises InputError where it names nothing."""
    if arguments.action not in actions:
        raise InputError(
            f"unknown action {arguments.action!r}",
            expected=f"one of {', '.join(sorted(actions))}",
            fix=did_you_mean(arguments.action, sorted(actions)),
        )
    return actions[arguments.action](arguments)


def text_options(words: list[str]) -> dict[str, str]:
    """Words of the form key=value, the value as it was typed: a fingerprint is no number."""
    wrong = [word for word in words if not word.partition("=")[0] or "=" not in word]
    if wrong:
        raise InputError(f"cannot read {wrong[0]!r}", expected="key=value")
    return {key: value for key, _, value in (word.partition("=") for word in words)}

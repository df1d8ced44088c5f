"""The `osler` command: finds the command's file, reads its arguments, turns errors into one line.

Nothing heavy is imported before a command runs, so that `osler --help` answers at once.
"""

import errno
import importlib
import logging
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from osler.cli.arguments import Command, command_parser
from osler.core.catalog import Catalog
from osler.core.errors import InputError, OslerError, did_you_mean
from osler.core.settings import forbid_telemetry

COMMANDS = Catalog("osler.cli.commands", "COMMAND", "command")
_USAGE = "osler COMMAND RECIPE.yaml [key=value ...] --out DIR [options]"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns 0 when it is done, 1 when it failed, 2 when the user's input is wrong."""
    argv = sys.argv[1:] if argv is None else argv
    debug = "--debug" in argv
    forbid_telemetry()
    try:
        with _quiet_libraries(debug):
            return _dispatch(argv)
    except KeyboardInterrupt:
        return _fail("interrupted; run the same command again to continue", _INTERRUPTED, debug)
    except OslerError as error:
        return _fail(str(error), error.exit_code, debug)
    except Exception as error:  # noqa: BLE001 - the outermost edge: whatever happens, the user gets one line
        return _fail(_unexpected(error), 1, debug)


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in {"-h", "--help"}:
        print(_help())
        return 0
    if argv[0] == "--version":
        print(importlib.import_module("importlib.metadata").version("osler"))
        return 0
    name = argv[0].replace("-", "_")
    known = COMMANDS.names()
    if name not in known:
        shown = [_shown(entry) for entry in known]
        hint = did_you_mean(argv[0], shown)
        raise InputError(f"unknown command {argv[0]!r}", expected=f"one of {', '.join(shown)}", fix=hint)
    command: Command = COMMANDS.load(name)
    parser = command_parser(_shown(name), COMMANDS.summary(name))
    command.add_arguments(parser)
    return command.run(parser.parse_intermixed_args(argv[1:]))


def _help() -> str:
    rows = [f"  {_shown(name):<12}{COMMANDS.summary(name)}" for name in COMMANDS.names()]
    story = "synth or curate -> train (stage by stage) -> eval -> report"
    end = "`osler COMMAND --help` says what a command takes; recipes/ holds one to start from."
    return "\n".join([f"usage: {_USAGE}", "", *rows, "", f"A whole run: {story}.", end])


def _shown(name: str) -> str:
    return name.replace("_", "-")


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"osler: error: {message}", file=sys.stderr)
    return code


def _unexpected(error: Exception) -> str:
    if (isinstance(error, OSError) and error.errno in _FULL) or "No space left on device" in str(error):
        return "no space left on the disk; free some space and run the same command again"
    detail = " ".join(str(error).split())
    return f"unexpected {type(error).__name__}: {detail}. Run again with --debug to see where"


@contextmanager
def _quiet_libraries(debug: bool) -> Iterator[None]:
    """Keep the warnings and log lines of other packages off the terminal, except under --debug."""
    if debug:
        yield
        return
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


if __name__ == "__main__":
    sys.exit(main())

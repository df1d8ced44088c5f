"""Keys of `osler serve`: `osler keys add FILE id=NAME scopes=[chat]`, `keys remove FILE id=NAME`, `keys list FILE`."""

import argparse
from pathlib import Path
from typing import Any

from osler.cli.arguments import Command
from osler.core.errors import InputError

_ACTIONS = {"add": {"id", "scopes", "expires"}, "remove": {"id"}, "list": set()}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=_ACTIONS, help="add shows the new key, this once")
    parser.add_argument("file", type=Path, metavar="FILE", help="the file of keys; it holds hashes only")
    parser.add_argument("values", nargs="*", metavar="key=value", help="id, scopes=[chat,study,metrics,admin], expires")


def _run(arguments: argparse.Namespace) -> int:
    from osler.core.config import apply_override
    from osler.serve.keys import add_key, read_keys, remove_key

    given: dict[str, Any] = {}
    for value in arguments.values:
        apply_override(given, value)
    unknown = sorted(given.keys() - _ACTIONS[arguments.action])
    if unknown:
        raise InputError(f"keys {arguments.action} takes no {unknown[0]!r}", expected=_takes(arguments.action))
    if arguments.action == "list":
        for key in read_keys(arguments.file):
            print(f"{key.id:<24}{','.join(key.scopes):<28}made {key.created}  expires {key.expires or 'never'}")
        return 0
    if not isinstance(given.get("id"), str):
        raise InputError(f"keys {arguments.action} needs an id", expected="id=NAME")
    if arguments.action == "remove":
        remove_key(arguments.file, given["id"])
        return 0
    scopes = given.get("scopes") or []
    scopes = [scopes] if isinstance(scopes, str) else scopes
    print(add_key(arguments.file, given["id"], scopes=scopes, expires=_day(given.get("expires"))))
    return 0


def _takes(action: str) -> str:
    return ", ".join(sorted(_ACTIONS[action])) or "nothing besides the file"


def _day(value: Any) -> Any:
    from datetime import date

    if value is not None and not isinstance(value, date):
        raise InputError("expires is no day", expected="expires=2027-01-31", got=str(value))
    return value


COMMAND = Command(_add_arguments, _run)

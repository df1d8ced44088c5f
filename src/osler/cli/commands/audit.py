"""`audit verify DIR checkpoints=DIR key=FINGERPRINT`: is a trail whole? `audit keys DIR` makes its keys."""

import argparse
import time
from pathlib import Path

from osler.cli.arguments import Command, run_action, text_options
from osler.core.errors import InputError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", metavar="ACTION", help="verify, or keys")
    parser.add_argument("folder", type=Path, metavar="DIR", help="the trail's folder; for `keys`, where keys go")
    parser.add_argument(
        "options", nargs="*", metavar="key=value", help="verify: checkpoints=DIR, key=FINGERPRINT, expect=COUNT:HEAD"
    )


def _run(arguments: argparse.Namespace) -> int:
    return run_action(arguments, {"keys": _keys, "verify": _verify})


def _keys(arguments: argparse.Namespace) -> int:
    from osler.cli.recipe_command import load_work

    if arguments.options:
        raise InputError("`osler audit keys` takes a folder and no options", got=" ".join(arguments.options))
    work = load_work("osler.serve.audit.config")
    public = work.make_keys(arguments.folder)
    print(f"{arguments.folder / work.SIGNING_KEY}  signs the trail; its fingerprint, to keep elsewhere:")
    print(public.fingerprint)
    print(f"{arguments.folder / work.DIGEST_KEY}  makes digests; back it up, or old digests cannot be compared")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from osler.cli.recipe_command import load_work

    work = load_work("osler.serve.audit.verify")
    options = work.VerifyOptions.parse(text_options(arguments.options), "osler audit verify")
    began = time.monotonic()
    report = work.verify(arguments.folder, checkpoints=options.checkpoints, key=options.key, expect=options.expect)
    for line in report.notes:
        print(f"note: {line}")
    for line in report.problems:
        print(f"problem: {line}")
    took_s = time.monotonic() - began
    print(f"entries {report.first} to {report.count}, signed to {report.signed}, {took_s:.1f} s")
    print(f"problems: {len(report.problems)}" if report.problems else f"whole; expect={report.count}:{report.head}")
    return 1 if report.problems else 0


COMMAND = Command(_add_arguments, _run)

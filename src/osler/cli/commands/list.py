"""List the entries of the catalogues: datasets, stages, tasks, metrics, ..."""

import argparse

from osler.cli.arguments import Command
from osler.core.catalog import ADAPTERS, CATALOGS, Catalog
from osler.core.errors import InputError, did_you_mean


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("catalogue", nargs="?", help=f"one of {', '.join(CATALOGS)}; all where left out")


def _run(arguments: argparse.Namespace) -> int:
    wanted = arguments.catalogue
    if wanted is not None and wanted not in CATALOGS:
        raise InputError(
            f"unknown catalogue {wanted!r}",
            expected=f"one of {', '.join(CATALOGS)}",
            fix=did_you_mean(wanted, CATALOGS),
        )
    for name in [wanted] if wanted else [name for name, catalog in CATALOGS.items() if catalog.names()]:
        _print_catalog(name, CATALOGS[name])
    return 0


def _print_catalog(name: str, catalog: Catalog) -> None:
    entries = catalog.names()
    print(f"{name} ({len(entries)})")
    if catalog is ADAPTERS:
        from osler.cli.dataset_page import list_lines

        print("\n".join(list_lines()))
        return
    width = max((len(entry) for entry in entries), default=0)
    for entry in entries:
        print(f"  {entry:<{width}}  {catalog.summary(entry)}")


COMMAND = Command(_add_arguments, _run)

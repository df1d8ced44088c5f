"""Write docs/reference/: a page for each catalogue and one for the commands, from docstrings and declarations.

`--check` writes nothing and fails where a page is not what would be written.
"""

import argparse
import ast
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from osler.cli.arguments import command_parser
from osler.cli.main import COMMANDS
from osler.core.catalog import ADAPTERS, CATALOGS, CORRUPTIONS, PROMPTS, TASKS, Catalog
from osler.core.files import write_text

FOLDER = Path(__file__).parent / "reference"
MADE = "<!-- Made by docs/make_reference.py; change the docstrings and run `make docs`. -->\n"


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description="Write docs/reference/ from the code.")
    parser.add_argument("--check", action="store_true", help="fail where a page is out of date")
    check = parser.parse_args().check
    pages = {f"{name}.md": catalog_page(name, catalog) for name, catalog in CATALOGS.items() if catalog.names()}
    pages["commands.md"] = commands_page()
    stale = [name for name, text in pages.items() if _read(FOLDER / name) != text]
    stale += [path.name for path in FOLDER.glob("*.md") if path.name not in pages]
    if check:
        if stale:
            print(f"docs/reference is out of date ({', '.join(sorted(stale))}): run 'make docs'", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        if name in pages:
            write_text(FOLDER / name, pages[name])
        else:
            (FOLDER / name).unlink()
    print(f"docs/reference: {len(pages)} pages, {len(stale)} changed")
    return 0


def catalog_page(title: str, catalog: Catalog) -> str:
    """One section for each entry: its docstring, and for some catalogues what it declares."""
    sections = [
        f"# {title.capitalize()}\n",
        f"{MADE}\nEach is one file below `{catalog.package.replace('.', '/')}/`.\n",
    ]
    for name in catalog.names():
        words = ast.get_docstring(ast.parse((catalog.folder() / f"{name}.py").read_text(encoding="utf-8"))) or ""
        sections.append(f"## {name}\n\n{_blocks(words)}\n")
        if catalog in _DECLARED:
            sections.append(_table(_DECLARED[catalog](catalog.load(name))))
    return "\n".join(sections)


def commands_page() -> str:
    """Each command with what it takes."""
    sections = ["# Commands\n", f"{MADE}\n`osler COMMAND RECIPE.yaml [key=value ...] --out DIR [options]`\n"]
    for name in COMMANDS.names():
        parser = command_parser(name, "")
        COMMANDS.load(name).add_arguments(parser)
        rows = [
            f"| `{', '.join(action.option_strings) or action.metavar or action.dest}` | {action.help} |"
            for action in parser._actions
            if action.dest != "help"
        ]
        table = "\n".join(["| argument | meaning |", "|---|---|", *rows])
        sections.append(f"## osler {name.replace('_', '-')}\n\n{COMMANDS.summary(name)}\n\n{table}\n")
    return "\n".join(sections)


def _dataset_rows(dataset: Any) -> dict[str, str]:
    splits = ", ".join(
        f"{split} ({rows:,} rows)" if rows is not None else split for split, rows in dataset.splits.items()
    )
    return {
        "licence": dataset.licence,
        "access": dataset.access,
        "modality": dataset.modality,
        "splits": splits,
        "published at": dataset.source_url,
        "layout": dataset.layout,
        "cite": dataset.citation,
    }


def _task_rows(task: Any) -> dict[str, str]:
    known = f"{task.items.count:,}" if task.items.count else "not declared"
    which = ", ".join([*task.tasks, *task.tags])
    return {
        "version": task.version,
        "dataset": f"{task.dataset}, {task.split}" + (f" ({which})" if which else ""),
        "items": known + (f"; {task.items.note}" if task.items.note else ""),
        "ids SHA-256": f"`{task.items.ids_sha256}`" if task.items.ids_sha256 else "not known",
        "answers": ", ".join(task.kinds),
        "metrics": ", ".join(task.metrics),
        "cluster": task.cluster,
        "prompt": task.prompt,
        "shots": str(task.num_shots or ""),
    }


def _prompt_rows(prompt: Any) -> dict[str, str]:
    return {"version": prompt.version, "SHA-256": f"`{prompt.sha256}`", **prompt.suffix}


def _corruption_rows(corruption: Any) -> dict[str, str]:
    return {
        "kind": corruption.kind,
        "for": ", ".join(corruption.modalities) or "all pictures",
        "severities 1 to 5": ", ".join(f"{strength:g}" for strength in corruption.strengths) + f" ({corruption.unit})",
    }


_DECLARED: dict[Catalog, Callable[[Any], dict[str, str]]] = {
    ADAPTERS: _dataset_rows,
    TASKS: _task_rows,
    PROMPTS: _prompt_rows,
    CORRUPTIONS: _corruption_rows,
}


def _table(rows: dict[str, str]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items() if value), ""])


def _blocks(words: str) -> str:
    """The docstring, with the lines that are set out by spaces kept as they stand."""
    paragraphs = words.split("\n\n")
    return "\n\n".join(f"```\n{part}\n```" if _is_set_out(part) else part for part in paragraphs)


def _is_set_out(paragraph: str) -> bool:
    return "   " in paragraph or "\n " in paragraph or paragraph.startswith(("Row:", "    "))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())

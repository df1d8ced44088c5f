"""Reproduce: of each evaluation what another person needs to get the same numbers, and what is not known of it."""

from collections.abc import Sequence
from html import escape
from typing import Any

import yaml

from osler.report.elements import html_table, section
from osler.report.evaluations import Evaluation
from osler.report.tables import Table
from osler.schema.manifest import Manifest

_UNKNOWN = "not known: the folder holds no manifest.json"


def reproduce(evaluations: Sequence[Evaluation]) -> str:
    """The section: a box of each evaluation."""
    return section("Reproduce", "".join(map(_box, evaluations)))


def _box(found: Evaluation) -> str:
    rows = [*_commands(found), *_identity(found), *_data(found), *_settings(found)]
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{body}</dd>" for name, body in rows)
    recipe = ""
    if found.recipe is not None:
        text = yaml.safe_dump(found.recipe, sort_keys=False, allow_unicode=True)
        recipe = f"<details><summary>resolved recipe</summary><pre>{escape(text)}</pre></details>"
    return (
        f'<article class="reproduce"><h3>{escape(found.name)}</h3><dl>{facts}</dl>{recipe}'
        f"<details><summary>items and words of each task</summary>{html_table(_items(found))}</details></article>\n"
    )


def _commands(found: Evaluation) -> list[tuple[str, str]]:
    if found.manifest is None or len(found.manifest.command) < 2:
        return [("command", _UNKNOWN)]
    again = [f"osler {found.manifest.command[1]} {found.folder}/recipe.yaml --out NEW_FOLDER"]
    if found.predictions_sha256:
        again.append(f"osler score {found.folder}")
    return [
        ("command", _code(" ".join(found.manifest.command))),
        ("the same again", _code(again[0])),
        *((("scores again, no model", _code(again[1])),) if len(again) > 1 else ()),
        ("recipe SHA-256", _code(found.manifest.recipe_sha256)),
        ("osler", escape(_osler(found.manifest))),
    ]


def _osler(manifest: Manifest) -> str:
    version = manifest.packages.get("osler", "of an unknown version")
    return f"{version}, commit {manifest.git_commit or 'not known'}"


def _identity(found: Evaluation) -> list[tuple[str, str]]:
    """What answered: a folder and the hash of its weights, or what is declared of the servers."""
    recipe = found.recipe or {}
    model, endpoints = recipe.get("model"), recipe.get("endpoints") or ()
    if model:
        digest = found.manifest.inputs.get(str(model), "") if found.manifest else ""
        return [("model", _code(str(model))), ("weights SHA-256", _code(digest) if digest else escape(_UNKNOWN))]
    if endpoints:
        served = "; ".join(f"{each.get('model')} at {each.get('url')}" for each in endpoints)
        revision = (recipe.get("remote") or {}).get("revision") or "not declared"
        return [("model", f"served: {_code(served)}"), ("weights", escape(f"unseen, revision {revision}"))]
    return [("model", "not named in this folder's recipe: kept answers were scored")]


def _data(found: Evaluation) -> list[tuple[str, str]]:
    if found.manifest is None:
        return [("data SHA-256", _UNKNOWN)]
    model = str((found.recipe or {}).get("model"))
    rows = [f"{_code(path)} {_code(digest)}" for path, digest in sorted(found.manifest.inputs.items()) if path != model]
    answers = _code(found.predictions_sha256) if found.predictions_sha256 else "no predictions.jsonl in the folder"
    return [("data SHA-256", "<br>".join(rows) or "none"), ("answers SHA-256", answers)]


def _settings(found: Evaluation) -> list[tuple[str, str]]:
    manifest = found.manifest
    rows = [
        ("asked twice", escape(_repeats(found))),
        ("decode", escape(_listed(dict(found.decode))) or "not recorded"),
    ]
    if manifest is None:
        return [*rows, ("seeds, packages, hardware", _UNKNOWN)]
    host = manifest.host
    machine = f"{host.platform}, {host.cpu_count} CPU cores, accelerator {host.accelerator}, Python {host.python}"
    return [
        *rows,
        ("seeds", escape(_listed(manifest.seeds)) or "none"),
        ("hardware", escape(machine)),
        ("packages", escape(_listed(manifest.packages)) or "none recorded"),
        ("when", escape(f"{manifest.started} to {manifest.ended}")),
    ]


def _repeats(found: Evaluation) -> str:
    counts = found.repeats
    if counts is None:
        return "no question was, so that it is not known whether answers repeat"
    if not counts.answered:
        return f"{counts.asked} questions, of which none got a second answer"
    return (
        f"{counts.raw} of {counts.answered} answers differed ({100 * counts.raw / counts.answered:.1f} %), "
        f"{counts.parsed} of them in what is scored; {counts.asked - counts.answered} got no second answer"
    )


def _items(found: Evaluation) -> Table:
    rows = {
        result.task: (
            result.task,
            result.task_version,
            result.items or "not stamped",
            result.dataset_ids_sha256 or "none asked",
            result.prompt or "not recorded",
            f"{result.n:,}",
        )
        for result in found.results
    }
    columns = ("task", "version", "items", "item ids SHA-256", "prompt: name, version, hash", "n")
    caption = (
        "Whether the asked items are the task's own list, by count and hash, and the words added to each question."
    )
    return Table(caption, columns, tuple(rows.values()), len(columns) - 1)


def _listed(facts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"

"""Card: a page about a model whose numbers come from its files and from results, never from a keyboard."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import existing_file, read_json
from osler.schema.result import Result

_NONE = "not stated"
_USE = """\
**Research use only. This is not a medical device.** It has not been cleared or certified by any authority (FDA, CE
under MDR or IVDR, or another), and no claim of clinical benefit is made. Do not use its words to diagnose, to treat, to
triage or to decide about a person. Whoever tries it on patients' data does so under their own ethics approval and law,
with a qualified reader who has looked at the images and answers for the report.
"""
_MEANT = """\
- Research on how medical images are described and questioned, on data that may be used for it.
- Validation by an institution on its own data, before anybody thinks of anything else.
"""
_NOT_MEANT = """\
- Care of patients, with or without a reader; screening; triage; emergency findings.
- Kinds of images, regions, ages, machines and languages that the results below do not name.
- Telling who a person is, or anything about a person that the image was not taken for.
"""
_LIMITS = """\
- It can state findings that are not there and miss ones that are, in fluent and sure words. Its reasoning need not be
  how it came to its answer, and its boxes need not be where it looked.
- A score is an average over the items of one set. It says nothing of rare findings, of subgroups that were not counted
  apart, nor of a hospital whose machines and patients differ.
- Its answers may repeat what its training data are biased to. Read the training sets' own cards.
- An answer that could not be read counts as `unparsed`, and is shown beside each score.
"""


@dataclass(frozen=True)
class Facts:
    """What a card says.

    rows: names and values of what the model is. results: of `osler eval` and `osler score`.
    """

    name: str
    rows: Mapping[str, str] = field(default_factory=dict)
    results: Sequence[Result] = ()


def card_text(facts: Facts) -> str:
    """The page, as Markdown."""
    rows = "\n".join(["| what | value |", "|---|---|", *(f"| {key} | {value} |" for key, value in facts.rows.items())])
    sections = {
        "What it may be used for": f"{_USE}\nMeant for:\n\n{_MEANT}\nNot meant for:\n\n{_NOT_MEANT}",
        "What it is": f"{rows}\n",
        "How it scored": results_table(facts.results),
        "What is known to be wrong": _LIMITS,
    }
    body = "\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# Model card: {facts.name}\n\n{body}"


def results_table(results: Sequence[Result]) -> str:
    """Each score with its interval, count, unparsed answers and baselines."""
    if not results:
        return "No result was given when this card was made: nothing is known of how well it answers.\n"
    lines = ["| task | metric | score | items | clusters | unparsed | baselines |", "|---|---|---|---|---|---|---|"]
    for row in results:
        low, high = row.ci_low, row.ci_high
        interval = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
        score = "not measured" if row.value is None else f"{row.value:.3f}{interval}"
        baselines = [f"{key} {each.value:.3f}" for key, each in row.baseline.items() if each.value is not None]
        counts = f"{row.n} | {row.n_clusters} | {row.unparsed}"
        lines.append(f"| {row.task} | {row.metric} | {score} | {counts} | {', '.join(baselines) or 'none'} |")
    note = (
        "In brackets: the 95 % interval. A score whose interval reaches a baseline's value shows no use of the image."
    )
    return "\n".join([*lines, "", note, ""])


def read_facts(name: str, model: Path, *, sha256: str, results: Sequence[Path]) -> Facts:
    """What a model folder, the manifest and recipe of the run that made it, and files of results say.

    Raises:
        InputError: a file of results is none.
    """
    config = read_json(existing_file(model / "config.json"))
    made = model.parent / "manifest.json"
    manifest = read_json(made) if made.is_file() else {}
    shape = _shape(model)
    rows = {
        "architecture": ", ".join(config.get("architectures") or ()) or str(config.get("model_type", _NONE)),
        "language model": _part(config.get("text_config")),
        "vision tower": _part(config.get("vision_config")),
        "parameters": f"{sum(shape.values()):,} ({', '.join(f'{n:,} {kind}' for kind, n in sorted(shape.items()))})",
        "sha256 of the model": sha256,
        "made by": " ".join(str(word) for word in manifest.get("command", [])) or _NONE,
        "with": _versions(manifest.get("packages", {})),
        "source commit": manifest.get("git_commit") or _NONE,
        "seeds": ", ".join(f"{key} {value}" for key, value in manifest.get("seeds", {}).items()) or _NONE,
        "inputs": ", ".join(f"{_last(key)} {value[:16]}" for key, value in manifest.get("inputs", {}).items()) or _NONE,
        "ended": str(manifest.get("ended") or _NONE),
    }
    return Facts(name, rows, [row for path in results for row in _read_results(path)])


def _read_results(path: Path) -> list[Result]:
    rows = read_json(path)
    if not isinstance(rows, list):
        raise InputError(f"{path} holds no results", expected="results.json of osler eval or osler score")
    try:
        return [Result.model_validate(row) for row in rows]
    except ValueError as error:
        raise InputError(f"{path} holds no results", expected="results.json of osler eval or osler score") from error


def _shape(model: Path) -> dict[str, int]:
    """Number of values by their kind, from the headers of the weights."""
    counts: dict[str, int] = {}
    for path in sorted(model.glob("*.safetensors")):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        for name, tensor in header.items():
            if name != "__metadata__":
                counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + prod(tensor["shape"])
    return counts


def _part(config: Any) -> str:
    if not isinstance(config, dict):
        return _NONE
    sizes = [f"{config[key]} {what}" for key, what in _SIZES.items() if isinstance(config.get(key), int)]
    return ", ".join([str(config.get("model_type", _NONE)), *sizes])


_SIZES = {"num_hidden_layers": "layers", "hidden_size": "wide", "image_size": "px", "num_local_experts": "experts"}


def _versions(packages: Mapping[str, str]) -> str:
    wanted = [name for name in ("osler", "torch", "transformers", "trl") if name in packages]
    return ", ".join(f"{name} {packages[name]}" for name in wanted) or _NONE


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]

"""A folder of files read as a catalogue: the file name is the entry's public name."""

import ast
import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osler.core.errors import InputError, did_you_mean


@dataclass(frozen=True)
class Catalog:
    """The entries of one folder.

    `package` is the folder as a dotted path, `attribute` the name each file defines, `noun` what an
    entry is called in messages. A name with a dot is taken as the path of a module outside Osler.
    """

    package: str
    attribute: str
    noun: str

    def names(self) -> list[str]:
        """All entry names, sorted. Imports no entry."""
        return sorted(m.name for m in pkgutil.iter_modules([str(self.folder())]))

    def folder(self) -> Path:
        """The folder that holds the entries."""
        return Path(str(importlib.import_module(self.package).__file__)).parent

    def load(self, name: str) -> Any:
        """The entry called `name`. Raises InputError that names the nearest known entry."""
        if "." in name:
            return self._load_module(name)
        known = self.names()
        if name not in known:
            raise InputError(
                f"unknown {self.noun} {name!r}", expected=f"one of {', '.join(known)}", fix=did_you_mean(name, known)
            )
        return self._load_module(f"{self.package}.{name}")

    def summary(self, name: str) -> str:
        """The first line of the entry's docstring, read without importing the entry."""
        source = (self.folder() / f"{name}.py").read_text(encoding="utf-8")
        return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]

    def _load_module(self, path: str) -> Any:
        try:
            module = importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name and path.startswith(error.name):
                raise InputError(f"no module {path!r} for a {self.noun}") from error
            if error.name and error.name.startswith("osler"):
                raise
            raise InputError(
                f"{self.noun} {path!r} needs the package {error.name!r}", fix="Install the extra that brings it."
            ) from error
        if not hasattr(module, self.attribute):
            raise InputError(f"{path} is no {self.noun}", expected=f"a module that defines {self.attribute}")
        return getattr(module, self.attribute)


ADAPTERS = Catalog("osler.datasets.adapters", "DATASET", "dataset")
OPERATORS = Catalog("osler.curate.operators", "OPERATOR", "operator")
FAMILIES = Catalog("osler.model.families", "FAMILY", "model family")
ENCODERS = Catalog("osler.model.encoders", "ENCODER", "encoder")
DUALS = Catalog("osler.model.duals", "DUAL", "pair of towers")
BACKENDS = Catalog("osler.infer.backends", "BACKEND", "backend")
STAGES = Catalog("osler.train.stages", "STAGE", "stage")
METRICS = Catalog("osler.scoring.metrics", "METRIC", "metric")
PARSERS = Catalog("osler.scoring.compat", "PARSER", "parser")
REWARDS = Catalog("osler.rl.rewards", "REWARD", "reward")
TASKS = Catalog("osler.evaluation.tasks", "TASK", "task")
PROMPTS = Catalog("osler.evaluation.prompts", "PROMPT", "prompt")
HARNESSES = Catalog("osler.evaluation.harnesses", "HARNESS", "harness")
PROBES = Catalog("osler.transfer.probes", "PROBE", "probe")
CORRUPTIONS = Catalog("osler.transfer.corruptions", "CORRUPTION", "corruption")

CATALOGS = {
    "datasets": ADAPTERS,
    "operators": OPERATORS,
    "families": FAMILIES,
    "encoders": ENCODERS,
    "duals": DUALS,
    "backends": BACKENDS,
    "stages": STAGES,
    "metrics": METRICS,
    "parsers": PARSERS,
    "rewards": REWARDS,
    "tasks": TASKS,
    "prompts": PROMPTS,
    "harnesses": HARNESSES,
    "probes": PROBES,
    "corruptions": CORRUPTIONS,
}

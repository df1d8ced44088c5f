"""Extractors at hand: what needs which weights, whether they are there, and their findings by text, cached.

Nothing heavy is imported before a text is looked at that the cache does not hold.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osler.core.errors import InputError, did_you_mean
from osler.scoring.report_metrics.cache import ExtractionCache
from osler.scoring.report_metrics.weights import WeightsFolder, missing, read_folder

Run = Callable[[Sequence[str]], list[Any]]
_BATCH = 32


@dataclass(frozen=True)
class ExtractorKind:
    """module: where `load(folder, device) -> Run` stands. needed: files of its folder. version: raised when what is
    found in the same text with the same weights changes, so that old findings are not used.
    """

    module: str
    needed: tuple[str, ...]
    version: int = 1


_TEXT_MODEL = ("config.json", "model.safetensors", "tokenizer.json")
KINDS: dict[str, ExtractorKind] = {
    "bertscore": ExtractorKind("bertscore_model", _TEXT_MODEL),
    "chexbert": ExtractorKind("chexbert_model", _TEXT_MODEL),
    "green": ExtractorKind("green_model", ("config.json", "tokenizer.json", "prompt.txt")),
    "radgraph": ExtractorKind(
        "radgraph_model",
        ("config.json", "vocabulary", "weights.safetensors", "backbone/config.json", "backbone/tokenizer.json"),
    ),
    "ratescore": ExtractorKind(
        "ratescore_model", tuple(f"{part}/{name}" for part in ("ner", "embedding") for name in _TEXT_MODEL)
    ),
}


def check_names(metric_weights: Mapping[str, Path]) -> None:
    """Raise InputError for a key of `metric_weights` that is no extractor."""
    for name in metric_weights:
        if name not in KINDS:
            raise InputError(
                f"unknown key metric_weights.{name}",
                expected=f"one of {', '.join(KINDS)}",
                fix=did_you_mean(name, KINDS),
            )


def label_of(name: str) -> str:
    """What findings of the extractor are kept under: its name and version."""
    return f"{name}/{KINDS[name].version}"


class Extractors:
    """The extractors whose folders a recipe names; see `osler.scoring.scorer.Extracted`.

    cache: where findings are kept; None keeps them in memory only.
    """

    def __init__(self, metric_weights: Mapping[str, Path], *, cache: Path | None = None, device: str = "cpu") -> None:
        check_names(metric_weights)
        self._folders = {name: Path(folder) for name, folder in metric_weights.items()}
        self._device = device
        self._cache_path = cache
        self._cache: ExtractionCache | None = None
        self._checked: dict[str, WeightsFolder] = {}
        self._found: dict[tuple[str, str], Any] = {}
        self._running: dict[str, Run] = {}

    def reason(self, name: str) -> str:
        """Why the extractor is unavailable, with the recipe key that would change it; "" where it is ready."""
        if name not in self._folders:
            return f"recipe key metric_weights.{name} is not set"
        wrong = missing(self._folders[name], KINDS[name].needed)
        return f"metric_weights.{name}: {wrong}" if wrong else ""

    def identity(self, name: str) -> str:
        """The first digits of the weights' hash."""
        return self.weights(name).sha256[:12]

    def weights(self, name: str) -> WeightsFolder:
        """The checked folder. Raises InputError where it cannot be read."""
        if reason := self.reason(name):
            raise InputError(f"{name} is unavailable: {reason}")
        if name not in self._checked:
            self._checked[name] = read_folder(self._folders[name], KINDS[name].needed)
        return self._checked[name]

    def manifest(self) -> dict[str, dict[str, Any]]:
        """Folder, hash and files' hashes of every ready extractor."""
        ready = [name for name in sorted(self._folders) if not self.reason(name)]
        return {
            name: {"folder": str(self._folders[name]), "sha256": self.weights(name).sha256, "files": found.files}
            for name in ready
            if (found := self.weights(name))
        }

    def fetch(self, name: str, texts: Iterable[str]) -> None:
        """Run the extractor over the texts that neither memory nor the cache holds, keeping each batch as it comes."""
        weights = self.weights(name).sha256
        label = label_of(name)
        left = []
        for text in dict.fromkeys(texts):
            if (name, text) in self._found:
                continue
            kept = self._kept(label, weights, text)
            if kept is None:
                left.append(text)
            else:
                self._found[name, text] = kept
        left.sort(key=len)  # so that a batch holds texts of one length
        for start in range(0, len(left), _BATCH):
            batch = left[start : start + _BATCH]
            values = self._run(name)(batch)
            if len(values) != len(batch):
                raise InputError(f"extractor {name} gave {len(values)} values for {len(batch)} texts")
            if self._cache is not None:
                self._cache.put(label, weights, zip(batch, values, strict=True))
            self._found.update(((name, text), value) for text, value in zip(batch, values, strict=True))

    def value(self, name: str, text: str) -> Any:
        """What the extractor found in `text`."""
        if (name, text) not in self._found:
            self.fetch(name, [text])
        return self._found[name, text]

    def close(self) -> None:
        """Close the cache."""
        if self._cache is not None:
            self._cache.close()
            self._cache = None

    def _kept(self, label: str, weights: str, text: str) -> Any | None:
        if self._cache_path is None:
            return None
        if self._cache is None:
            self._cache = ExtractionCache(self._cache_path)
        return self._cache.get(label, weights, text)

    def _run(self, name: str) -> Run:
        if name not in self._running:
            module = importlib.import_module(f"osler.scoring.report_metrics.{KINDS[name].module}")
            self._running[name] = module.load(self._folders[name], self._device)
        return self._running[name]

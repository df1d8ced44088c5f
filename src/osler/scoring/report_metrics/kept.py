"""Kept findings: what the models behind metrics of reports found in finished runs, read without the models."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.scoring.report_metrics.cache import ExtractionCache
from osler.scoring.report_metrics.extract import label_of


class KeptFindings:
    """The findings that several runs kept, as far as all of them had the same weights; see `Extracted`.

    Args:
        runs: of each run, the file of its findings and by extractor the hash of the weights that made them.
    """

    def __init__(self, runs: Sequence[tuple[Path, Mapping[str, str]]]) -> None:
        weights = [hashes for _, hashes in runs]
        common = set(weights[0]).intersection(*weights[1:]) if weights else set()
        self._weights = {name: weights[0][name] for name in common if len({each[name] for each in weights}) == 1}
        self._caches = [ExtractionCache(path, read_only=True) for path, hashes in runs if self._weights and hashes]

    def reason(self, name: str) -> str:
        """Why there are no findings of this extractor."""
        return "" if name in self._weights else f"the runs kept no findings of {name} made with the same weights"

    def identity(self, name: str) -> str:
        """The first digits of the weights' hash."""
        return self._weights[name][:12]

    def fetch(self, name: str, texts: Iterable[str]) -> None:
        """Nothing: what was found is on the disk."""

    def value(self, name: str, text: str) -> Any:
        """What was found in `text`. Raises InputError for a text that no run looked at."""
        for cache in self._caches:
            found = cache.get(label_of(name), self._weights[name], text)
            if found is not None:
                return found
        raise InputError(
            f"the runs kept no finding of {name} for an answer that they hold",
            expected="the findings of this version of Osler, as the run left them",
            fix="Run osler score on both runs with metric_weights, and compare what it writes.",
        )

    def close(self) -> None:
        """Close the files."""
        for cache in self._caches:
            cache.close()

"""Extraction: the models behind metrics of whole reports, opened for one output folder and recorded in it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from osler.core.files import read_json, write_json
from osler.scoring.report_metrics.extract import Extractors
from osler.scoring.report_metrics.kept import KeptFindings

CACHE, MANIFEST = "extractions.sqlite", "metric_weights.json"


@contextmanager
def open_extractors(metric_weights: Mapping[str, Path], out: Path, *, device: str) -> Iterator[Extractors]:
    """The extractors whose folders are named; what they find is kept in `out`, and at the end which weights found it.

    Nothing is written where no folder is named: then every metric that needs one is unavailable.
    """
    with closing(Extractors(metric_weights, cache=out / CACHE, device=device)) as extractors:
        yield extractors
        if metric_weights:
            write_json(out / MANIFEST, extractors.manifest())


@contextmanager
def open_kept(folders: Sequence[Path]) -> Iterator[KeptFindings]:
    """What the extractors found in the runs of these folders, without their weights."""
    runs = []
    for folder in folders:
        is_kept = (folder / MANIFEST).is_file() and (folder / CACHE).is_file()
        manifest = read_json(folder / MANIFEST) if is_kept else {}
        runs.append((folder / CACHE, {name: row["sha256"] for name, row in manifest.items()}))
    with closing(KeptFindings(runs)) as kept:
        yield kept

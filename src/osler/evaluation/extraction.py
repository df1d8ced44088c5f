"""Extraction: the models behind metrics of whole reports, opened for one output folder and recorded in it."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from osler.core.files import write_json
from osler.scoring.report_metrics.extract import Extractors

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

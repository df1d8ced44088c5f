"""COVID chest X-ray: radiographs and CT slices from articles and case collections, each image with its own licence.

Row: the columns of metadata.csv, among them patientid, filename, modality, view, date, license, doi, url and
`clinical notes`, which serve as the caption. Panels of one figure repeat its notes. Some copies have a space before
`url` and a last column without a name.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from osler.datasets.dataset import Dataset, Row
from osler.datasets.read import csv_table
from osler.datasets.wording import DESCRIBE
from osler.schema.sample import Provenance, Sample, image, passage, user

_MODALITIES = {"X-ray": "x-ray", "CT": "ct"}


def to_sample(row: Row) -> Sample:
    """Ask for a description; the notes are the answer. A row without a licence is marked NOASSERTION."""
    return Sample(
        turns=(user(image(row["filename"], view=row["view"].strip()), DESCRIBE),),
        answer=passage(row["clinical notes"].strip()),
        task="caption",
        modality=_MODALITIES.get(row["modality"].strip(), row["modality"].strip().lower()),
        tags=(*(("shared_caption",) if row["shared"] else ()), *_finding(row)),
        provenance=Provenance(
            dataset="covid_chestxray",
            record_id=row["filename"],
            licence=row["license"].strip() or "NOASSERTION",
            source_url=row["url"].strip(),
        ),
    )


def _finding(row: Row) -> tuple[str, ...]:
    """What the image is said to show, as a tag: `finding:COVID-19`; of several findings in one cell the whole."""
    found = "_".join((row.get("finding") or "").split())
    return (f"finding:{found}",) if found else ()


def connected(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Say of each row whether its notes stand at other images too, and with which rows a split must keep it.

    These are all that share a patient or an article (`doi`, `url`), directly or through others: the panels of one
    figure may show several patients under one caption. The table is small; all of it is held.
    """
    held = list(rows)
    counts = Counter(row["clinical notes"] for row in held)
    parents: dict[str, str] = {}
    for row in held:
        first, *others = _ties(row)
        for other in others:
            ends = {_top(parents, first), _top(parents, other)}
            if len(ends) > 1:
                parents[max(ends)] = min(ends)
    for row in held:
        yield {**row, "shared": counts[row["clinical notes"]] > 1, "group": _top(parents, _ties(row)[0])}


def _ties(row: Row) -> list[str]:
    """What a row may share with others; its file where it tells neither a patient nor an article."""
    found = [f"{field}:{row[field].strip()}" for field in ("patientid", "doi", "url") if row.get(field, "").strip()]
    return found or [f"filename:{row['filename']}"]


def _top(parents: dict[str, str], tie: str) -> str:
    while tie in parents:
        tie = parents[tie]
    return tie


DATASET = Dataset(
    licence="per-item",
    access="open",
    modality="x-ray",
    body_part="chest",
    group_key="group",
    id_key="filename",
    splits={"train": None},
    rows=csv_table(
        {"train": "metadata.csv"},
        fields=("patientid", "view", "modality", "filename", "url", "license", "clinical notes"),
        change=connected,
    ),
    to_sample=to_sample,
    media_folder="images",
    citation="Cohen et al. COVID-19 image data collection: prospective predictions are the future. arXiv:2006.11988",
    source_url="https://github.com/ieee8023/covid-chestxray-dataset",
    layout="metadata.csv and images/",
    group_unit="article",
    known_from="file",
    notes="Each image has a licence of its own, some non-commercial or without derivatives. Panels of one figure "
    "repeat its caption and have the tag shared_caption. A group holds all images that a patient or an article "
    "connects: a split by patient alone would cut figures that show several.",
)

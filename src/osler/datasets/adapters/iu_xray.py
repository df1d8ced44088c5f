"""IU X-ray: chest radiographs with reports; findings from images, impressions from findings.

Row: {"id": "2-findings", "task": "findings", "uid": "2", "views": [{"path": "images_normalized/2_IM-0652-1001.dcm.png",
      "view": "frontal"}, ...], "indication": "Preop bariatric surgery.", "comparison": "None.", "findings": "...",
      "impression": "..."}; `impression` is missing in the rows of annotation.json
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import InputError
from osler.core.files import read_json
from osler.datasets.dataset import BadRow, Dataset, Row, Skip
from osler.datasets.read import FirstOf, csv_table
from osler.datasets.report_tasks import findings_sample, impression_sample
from osler.datasets.reports import Report, joined
from osler.datasets.studies import Study, View, ordered, view_name
from osler.schema.sample import Sample

_REPORTS, _VIEWS, _ANNOTATION = "indiana_reports.csv", "indiana_projections.csv", "annotation.json"
_SECTIONS = ("indication", "comparison", "findings", "impression")
_SPLITS = {"train": "train", "val": "validation", "test": "test"}
_UID = re.compile(r"CXR(\d+)_")


def to_sample(row: Row) -> Sample | Skip:
    """Ask for the findings of all views, or for the impression. De-identified words stay as XXXX."""
    report = Report({name: joined(row[name]) for name in _SECTIONS if name in row})
    if row["task"] == "impression":
        return impression_sample(report)
    if not row["views"]:
        return Skip("the report has no image")
    views = ordered(View(view["path"], view["view"]) for view in row["views"])
    return findings_sample(report, Study(row["uid"], views))


@dataclass(frozen=True)
class ReportTables:
    """The tables of reports and images. With annotation.json beside them its splits are used, else all is train."""

    def __call__(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        """A row for each task of each report, in published order."""
        splits = _split_of_reports(root)
        views: dict[str, list[Row]] = defaultdict(list)
        for row in csv_table({split: _VIEWS}, fields=("uid", "filename", "projection"))(root, split):
            if isinstance(row, BadRow):
                yield row
                continue
            path = f"images_normalized/{row['filename']}"
            views[row["uid"]].append({"path": path, "view": view_name(row["projection"])})
        for row in csv_table({split: _REPORTS}, fields=("uid", *_SECTIONS))(root, split):
            if isinstance(row, BadRow):
                yield row
            elif splits.get(row["uid"], "train") == split:
                both = {**row, "views": views.get(row["uid"], [])}
                yield from ({"id": f"{row['uid']}-{t}", "task": t, **both} for t in ("findings", "impression"))

    def paths(self, root: Path, split: str) -> list[Path]:
        """Both tables, and for a split other than train the file that tells it."""
        names = (_REPORTS, _VIEWS) if split == "train" else (_REPORTS, _VIEWS, _ANNOTATION)
        return [Path(root) / name for name in names]


@dataclass(frozen=True)
class Annotation:
    """The reports of annotation.json alone: findings and images, without indication and impression."""

    def __call__(self, root: Path, split: str) -> Iterator[Row]:
        """The reports of `split`."""
        for row in _annotated(root):
            if _SPLITS.get(row["split"].strip()) == split:
                views = [{"path": path, "view": ""} for path in row["image_path"]]
                uid = row["id"]
                yield {
                    "id": f"{uid}-findings",
                    "task": "findings",
                    "uid": uid,
                    "views": views,
                    "findings": row["report"],
                }

    def paths(self, root: Path, split: str) -> list[Path]:
        """The one file."""
        return [Path(root) / _ANNOTATION]


def _annotated(root: Path) -> Iterator[Row]:
    """All entries. One of the published keys is four spaces instead of `test`; each entry says its split itself."""
    content = read_json(root / _ANNOTATION)
    for key, entries in content.items():
        for entry in entries:
            missing = {"id", "report", "image_path", "split"} - entry.keys()
            if missing:
                raise InputError(
                    f"an entry of {key!r} in {root / _ANNOTATION} has other fields",
                    expected="id, report, image_path, split",
                    got=", ".join(sorted(entry)),
                )
            yield entry


def _split_of_reports(root: Path) -> dict[str, str]:
    if not (root / _ANNOTATION).is_file():
        return {}
    entries = ((_UID.match(entry["id"]), entry["split"].strip()) for entry in _annotated(root))
    return {match[1]: _SPLITS[split] for match, split in entries if match and split in _SPLITS}


DATASET = Dataset(
    licence="CC-BY-NC-ND-4.0",
    access="open",
    modality="x-ray",
    body_part="chest",
    group_key="uid",
    id_key="id",
    splits={"train": 2069, "validation": 296, "test": 590},
    rows=FirstOf((ReportTables(), Annotation())),
    to_sample=to_sample,
    media_folder="images",
    stages=("midtrain", "evaluate"),
    group_unit="study",
    known_from="file",
    citation="Demner-Fushman et al. Preparing a collection of radiology examinations for distribution and retrieval. "
    "JAMIA 23(2), 304-310 (2016). doi:10.1093/jamia/ocv080. Splits: Chen et al. EMNLP 2020. arXiv:2010.16056",
    source_url="https://openi.nlm.nih.gov/faq",
    layout="indiana_reports.csv and indiana_projections.csv with images/images_normalized/, beside them "
    "annotation.json for the splits; or annotation.json alone with images/CXR.../0.png",
    notes="The published counts are studies of annotation.json, which leaves out reports without findings and with "
    "one image; beside the tables these are train. The tables give each study twice, with the tag task:findings or "
    "task:impression. Some copies are said to be CC BY 4.0; the source's licence is the one declared.",
)

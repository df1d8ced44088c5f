"""BIOMEDICA: 24 million figures of open-access articles with captions, licences, panel types and content labels.

Row: members KEY.jpg, KEY.txt (the caption) and KEY.json of a tar: {"article_accession_id": "PMC1234567",
      "article_license": "CC BY", "image_panel_type": "...", "image_panel_subtype": "...",
      "image_primary_label": ["Clinical Imaging"], "image_secondary_label": ["dermatology"],
      "image_cluster_id": "...", "image_context": {CLUSTER: ["..."]}, ...}
"""

from typing import Any

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.figures import article_group, article_url, captioned
from osler.datasets.read import webdataset
from osler.schema.licence import licence_of
from osler.schema.sample import Provenance, Sample

_NO_CAPTION = "No caption found"
_LABELS = (
    ("panel", "image_panel_type"),
    ("subpanel", "image_panel_subtype"),
    ("global", "image_primary_label"),
    ("local", "image_secondary_label"),
)


def to_sample(row: Row) -> Sample | Skip:
    """The caption of a figure, with its article's licence. Panel types and global and local labels are tags."""
    about = row["json"]
    article = str(about.get("article_accession_id") or "")
    caption = row["txt"].strip()
    return captioned(
        row["image"],
        "" if caption == _NO_CAPTION else caption,
        group=article_group(article),
        tags=tuple(f"{name}:{word}" for name, field in _LABELS for word in _words(about.get(field))),
        provenance=Provenance(
            dataset="biomedica",
            record_id=row["__key__"],
            licence=licence_of(str(about.get("article_license") or "")).id,
            source_url=article_url(article),
        ),
    )


def _words(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(word).strip() for word in values if word is not None and str(word).strip()]


DATASET = Dataset(
    licence="per-item",
    access="open",
    modality="mixed",
    group_key="__key__",
    group_unit="article",
    splits={"train": None},
    rows=webdataset({"train": "**/*.tar"}, fields=("txt", "json"), image=("jpg", "jpeg", "png", "webp")),
    to_sample=to_sample,
    contiguous=True,
    hub_id="BIOMEDICA/biomedica_webdataset_24M",
    stages=("align",),
    known_from="code",
    citation="Lozano et al. BIOMEDICA: an open biomedical image-caption archive, dataset, and vision-language models "
    "derived from scientific literature. CVPR 2025. arXiv:2501.07171",
    source_url="https://huggingface.co/datasets/BIOMEDICA/biomedica_webdataset_24M",
    layout="tar files, in the folders commercial/, noncommercial/ and other/ or of one subset",
    notes="The hub asks to agree that each row's own licence is kept. Tags `panel:`, `subpanel:`, `global:` and "
    "`local:` hold the set's own labels in its spelling, e.g. to keep single panels or dermatology. What the article "
    "says of a figure (image_context) is not used.",
)

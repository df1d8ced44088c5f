"""Open-PMC: sub-figures of open-access articles with sub-captions, what the article says of them, and a modality.

Row: members KEY.jpg and KEY.jsonl of a tar: {"PMC_ID": "PMC1234567", "image": "..._a.jpg", "sub_caption": "...",
      "full_caption": "...", "intext_refs": "...", "intext_refs_summary": "...", "modality": "Radiology"}; or the same
      fields (with `caption` for full_caption) in JSON lines beside images/, or in parquet with the picture.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.figures import article_group, article_url, captioned
from osler.datasets.read import FirstOf, jsonl, parquet, webdataset
from osler.schema.licence import UNKNOWN, licence_of
from osler.schema.sample import Provenance, Sample

_SPLITS = ("train", "validation", "test")


def to_sample(row: Row) -> Sample | Skip:
    """The sub-caption of a sub-figure; the whole caption where there is none (`caption:whole`)."""
    if row["about"] is None:
        return Skip("broken line: the member .jsonl is not valid JSON")
    about = row["about"]
    article = str(about.get("PMC_ID") or "")
    own = str(about.get("sub_caption") or "").strip()
    whole = str(about.get("full_caption") or about.get("caption") or "")
    summary = "context:summary" if about.get("intext_refs_summary") else ""
    return captioned(
        row["image"],
        own or whole,
        group=article_group(article),
        modality=str(about.get("modality") or "").strip().lower(),
        tags=tuple(tag for tag in ("caption:own" if own else "caption:whole", summary) if tag),
        provenance=Provenance(
            dataset="open_pmc",
            record_id=str(about.get("image") or row["image"] or article or "unnamed"),
            licence=licence_of(str(about.get("license") or UNKNOWN)).id,
            source_url=article_url(article),
        ),
    )


def unpacked(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The tar's rows with the fields of their .jsonl member under `about`; None where it is broken."""
    for row in rows:
        try:
            about = json.loads(row["jsonl"])
        except json.JSONDecodeError:
            about = None
        yield {**row, "about": about if isinstance(about, dict) else None}


def listed(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of a list or a table with their own fields under `about`."""
    return ({**row, "about": row} for row in rows)


DATASET = Dataset(
    licence=UNKNOWN,
    access="open",
    modality="mixed",
    group_key="image",
    group_unit="article",
    splits=dict.fromkeys(_SPLITS),
    rows=FirstOf(
        (
            webdataset("{split}/*.tar", fields=("jsonl",), change=unpacked),
            webdataset("{split}*.tar", fields=("jsonl",), change=unpacked),
            webdataset({**{s: f"{s}*.tar" for s in _SPLITS}, "train": "data*.tar"}, fields=("jsonl",), change=unpacked),
            jsonl("{split}.jsonl", fields=("PMC_ID", "image", "sub_caption"), change=listed),
            parquet(
                "data/{split}-*.parquet", fields=("PMC_ID", "image", "sub_caption"), images=("image",), change=listed
            ),
        )
    ),
    to_sample=to_sample,
    media_folder="images",
    contiguous=True,
    hub_id="vector-institute/open-pmc-18m",
    stages=("align",),
    known_from="code",
    citation="Baghbanzadeh et al. Open-PMC-18M: a high-fidelity large scale medical dataset for multimodal "
    "representation learning. arXiv:2506.02738",
    source_url="https://huggingface.co/datasets/vector-institute/open-pmc-18m",
    layout="SPLIT/*.tar, SPLIT*.tar or data*.tar (train); or SPLIT.jsonl and images/; or data/SPLIT-*.parquet",
    notes="The licence is the article's and is not in the rows: each sample is NOASSERTION with the article's address, "
    "unless a field `license` says more. What the article says of a figure is not used; where there is a summary of "
    "it, the tag is `context:summary`.",
)

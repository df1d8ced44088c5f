"""ROCOv2: 79,789 radiology figures of open-access articles with captions and UMLS concepts.

Row:  {"ID": "ROCOv2_2023_train_000001", "Caption": "..."}                                      train_captions.csv
      {"ID": ..., "CUIs": "C0040405;C0000726"}                                                   train_concepts.csv
      {"ID": ..., "PMCID": "PMC1234567", "Attribution": "CC BY [...]", "Link": "..."}       license_information.csv
Hub:  {"image": {"bytes": ...}, "image_id": "ROCOv2_2023_train_000001", "caption": "...", "cui": ["C0040405"]}
"""

from collections.abc import Iterator
from pathlib import Path

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.figures import article_group, article_url, captioned
from osler.datasets.parse import Separated
from osler.datasets.read import FirstOf, csv_table, parquet
from osler.schema.licence import licence_of
from osler.schema.sample import Provenance, Sample

_WHOLE = "CC-BY-NC-SA-4.0"
_FOLDERS = {"train": "train", "validation": "valid", "test": "test"}


def to_sample(row: Row) -> Sample | Skip:
    """The caption of a figure; its concepts are tags (`cui:C0040405`)."""
    article = row.get("article", "")
    return captioned(
        row["image"],
        row["caption"],
        group=article_group(article),
        tags=tuple(f"cui:{cui}" for cui in row["cui"]),
        provenance=Provenance(
            dataset="rocov2",
            record_id=row["image_id"],
            licence=row.get("licence", _WHOLE),
            source_url=article_url(article) or DATASET.source_url,
        ),
    )


def as_on_the_hub(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows under the hub's names, with their concepts, and with article and licence where the list of them is."""
    folder = _FOLDERS[split]
    concepts = _by_id(root, f"{folder}_concepts.csv")
    terms = _by_id(root, "license_information.csv")
    for row in rows:
        own: Row = {
            "image": f"{folder}/{row['ID']}.jpg",
            "image_id": row["ID"],
            "caption": row["Caption"],
            "cui": [cui for cui in concepts.get(row["ID"], {"CUIs": ""})["CUIs"].split(";") if cui],
        }
        if row["ID"] in terms:
            # The attribution goes on with the authors in brackets.
            spelled = terms[row["ID"]]["Attribution"].partition("[")[0]
            own |= {"article": terms[row["ID"]]["PMCID"], "licence": licence_of(spelled).id}
        yield own


def _by_id(root: Path, name: str) -> dict[str, Row]:
    if not (root / name).is_file():
        return {}
    return {line["ID"]: line for line in Separated(",")(root, name) if isinstance(line, dict)}


DATASET = Dataset(
    licence=_WHOLE,
    access="open",
    modality="radiology",
    group_key="image_id",
    group_unit="article",
    id_key="image_id",
    splits={"train": 59958, "validation": 9904, "test": 9927},
    rows=FirstOf(
        (
            csv_table(
                {split: f"{folder}_captions.csv" for split, folder in _FOLDERS.items()},
                fields=("ID", "Caption"),
                change=as_on_the_hub,
            ),
            parquet("data/{split}-*.parquet", fields=("image_id", "caption", "cui"), images=("image",)),
        )
    ),
    to_sample=to_sample,
    media_archives=tuple(f"{folder}_images.zip" for folder in _FOLDERS.values()),
    contiguous=True,
    hub_id="eltorio/ROCOv2-radiology",
    stages=("align",),
    known_from="code",
    citation="Rueckert et al. ROCOv2: Radiology Objects in COntext version 2, an updated multimodal image dataset. "
    "Scientific Data 11, 688 (2024). doi:10.1038/s41597-024-03496-6",
    source_url="https://zenodo.org/records/10821435",
    layout="{train,valid,test}_captions.csv, _concepts.csv, license_information.csv and the folders train/, valid/, "
    "test/ (or {train,valid,test}_images.zip), or the hub's data/SPLIT-*.parquet",
    notes="Zenodo's license_information.csv gives each figure's article and licence; the hub's copy has neither, so "
    "its samples have the licence of the whole and each figure is its own group.",
)

"""ROCO: captions of radiology figures (and of others, kept apart) of open-access articles; pictures are fetched by id.

Row:  {"ROCO_ID": "ROCO_00020", "caption": " Axial computed tomography scan of ..."}    captions.txt, tab between
      {"ROCO_ID": "ROCO_00020", "PMC_ID": "PMC3970251_CRIONM2014-931546.003.jpg", "CC": "CC BY"}    licences.txt
"""

from collections.abc import Iterator
from pathlib import Path

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.figures import article_group, article_url, captioned
from osler.datasets.parse import Separated
from osler.datasets.read import text_lines
from osler.schema.licence import licence_of
from osler.schema.sample import Provenance, Sample

_KINDS = ("radiology", "non-radiology")


def to_sample(row: Row) -> Sample | Skip:
    """The caption of a figure, with its own licence. `kind:radiology` and `kind:non-radiology` are tags."""
    folder = Path(row["_file"]).parent
    return captioned(
        f"{folder.as_posix()}/images/{row['ROCO_ID']}.jpg",
        row["caption"],
        group=article_group(row["PMC_ID"]),
        modality="radiology" if folder.name == "radiology" else "mixed",
        tags=(f"kind:{folder.name}",),
        provenance=Provenance(
            dataset="roco",
            record_id=row["ROCO_ID"],
            licence=licence_of(row["CC"]).id,
            source_url=article_url(row["PMC_ID"]),
        ),
    )


def with_licence(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Each row with the article and the licence that licences.txt beside it gives; a few ten thousand lines at most."""
    folder, terms = Path(), {}
    for row in rows:
        if (here := Path(row["_file"]).parent) != folder:
            listed = Separated(",")(root, (here / "licences.txt").as_posix())
            folder, terms = here, {line["ROCO_ID"]: line for line in listed if isinstance(line, dict)}
        own = terms.get(row["ROCO_ID"], {"PMC_ID": "", "CC": ""})
        yield {**row, "PMC_ID": own["PMC_ID"], "CC": own["CC"]}


DATASET = Dataset(
    licence="per-item",
    access="open",
    modality="radiology",
    group_key="ROCO_ID",
    group_unit="article",
    id_key="ROCO_ID",
    splits={"train": None, "validation": None, "test": None},
    rows=text_lines(
        {
            split: tuple(f"data/{split}/{kind}/captions.txt" for kind in _KINDS)
            for split in ("train", "validation", "test")
        },
        fields=("ROCO_ID", "caption"),
        sep="\t",
        change=with_licence,
        file_field="_file",
    ),
    to_sample=to_sample,
    contiguous=True,
    stages=("align",),
    known_from="file",
    citation="Pelka et al. Radiology Objects in COntext (ROCO): a multimodal image dataset. LABELS 2018. "
    "doi:10.1007/978-3-030-01364-6_20",
    source_url="https://github.com/razorx89/roco-dataset",
    layout="data/SPLIT/{radiology,non-radiology}/captions.txt and licences.txt, with the fetched pictures in images/ "
    "beside them",
    notes="The pictures are not in the repository: its script fetches them from PubMed Central, and one that is not "
    "there is dropped and counted (drop_missing_image). `NO-CC CODE` is NOASSERTION; other licences say no version.",
)

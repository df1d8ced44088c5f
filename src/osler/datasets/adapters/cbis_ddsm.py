"""CBIS-DDSM: scanned film mammograms with masses or calcifications, proven benign or malignant.

Row: the columns of mass_case_description_train_set.csv and its three siblings, of one mammogram:
{"patient_id": "P_00001", "left or right breast": "LEFT", "image view": "CC", "pathology": "MALIGNANT",
 "image file path": "Mass-Training_P_00001_LEFT_CC/STUDY-UID/SERIES-UID/000000.dcm"}
with "abnormalities", the pathologies of all its abnormalities, and "picture", the file at hand.
"""

from collections.abc import Iterator
from pathlib import Path

from osler.datasets.classes import ask_class
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import FirstOf, csv_table
from osler.schema.sample import Sample, image

_NAMES = ("benign", "malignant")
_PATHOLOGIES = {"BENIGN": "benign", "BENIGN_WITHOUT_CALLBACK": "benign", "MALIGNANT": "malignant"}
_FIELDS = ("patient_id", "left or right breast", "image view", "pathology", "image file path")
_KINDS = {"Mass": "masses", "Calc": "calcifications"}


def to_sample(row: Row) -> Sample | Skip:
    """Ask whether the mammogram's abnormality is malignant; one malignant among several makes it so."""
    unknown = [pathology for pathology in row["abnormalities"] if pathology not in _PATHOLOGIES]
    if unknown:
        return Skip(f"pathology {unknown[0]!r} is no class")
    found = {_PATHOLOGIES[pathology] for pathology in row["abnormalities"]}
    kind = row["id"].partition("-")[0]
    question = f"Are the {_KINDS.get(kind, 'abnormalities')} in this mammogram benign or malignant?"
    view = f"{row['left or right breast'].strip()[:1]} {row['image view'].strip()}"
    return ask_class(
        image(row["picture"], view=view),
        question,
        label="malignant" if "malignant" in found else "benign",
        names=_NAMES,
        tags=(f"kind:{kind.lower()}", f"abnormalities:{len(row['abnormalities'])}"),
    )


def by_mammogram(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """One row a mammogram: the tables have one an abnormality, some 3,600 together."""
    mammograms: dict[str, Row] = {}
    for row in rows:
        # Paths are broken over lines in some copies of the tables.
        path = "".join(row["image file path"].split())
        known = mammograms.setdefault(path, {**row, "id": path.partition("/")[0], "abnormalities": []})
        known["abnormalities"].append(row["pathology"].strip())
    for path, row in mammograms.items():
        yield {**row, "picture": _picture(root, path)}


def _picture(root: Path, path: str) -> str:
    """The mammogram in a JPEG copy, else the DICOM file; the path as listed where neither is there."""
    series = Path(path).parent
    places = (f"jpeg/{series.name}", f"CBIS-DDSM/jpeg/{series.name}", f"CBIS-DDSM/{series}", f"{series}")
    found = (sorted((root / place).glob(ending)) for place in places for ending in ("*.jpg", "*.png", "*.dcm"))
    return next((files[0].relative_to(root).as_posix() for files in found if files), path)


_FILES = {
    split: tuple(f"{kind}_case_description_{split}_set.csv" for kind in ("mass", "calc")) for split in ("train", "test")
}

DATASET = Dataset(
    licence="CC-BY-3.0",
    access="open",
    modality="mammography",
    body_part="breast",
    group_key="patient_id",
    group_unit="patient",
    shared_groups=True,
    id_key="id",
    splits={"train": 2458, "test": 645},
    stages=("classify",),
    known_from="code",
    rows=FirstOf(
        (
            csv_table(_FILES, fields=_FIELDS, change=by_mammogram),
            csv_table(
                {split: tuple(f"csv/{name}" for name in names) for split, names in _FILES.items()},
                fields=_FIELDS,
                change=by_mammogram,
            ),
        )
    ),
    to_sample=to_sample,
    citation="Lee et al. A curated mammography data set for use in computer-aided detection and diagnosis research. "
    "Scientific Data 4, 170177 (2017). doi:10.1038/sdata.2017.177",
    source_url="https://www.cancerimagingarchive.net/collection/cbis-ddsm/",
    layout="{mass,calc}_case_description_{train,test}_set.csv (or in csv/) and jpeg/SERIES-UID/*.jpg, or "
    "CBIS-DDSM/.../*.dcm as the archive gives them",
    notes="3,568 abnormalities on 3,103 mammograms; a mammogram is malignant where one of its abnormalities is. Benign "
    "without callback counts as benign. Masses and calcifications were split apart from each other, so some patients "
    "are in the train part of one and the test part of the other. File names in the tables (000000.dcm) differ from "
    "those the archive gives (1-1.dcm): the file of the series is taken. DICOM files have to be turned into 16-bit PNG "
    "or JPEG before they can be curated.",
)

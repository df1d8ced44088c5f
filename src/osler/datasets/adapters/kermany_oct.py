"""Kermany OCT: retinal scans with neovascularisation, macular edema, drusen, or none of these.

Row: {"image": "OCT2017/train/CNV/CNV-1016042-1.jpeg", "label": "CNV", "id": "CNV/CNV-1016042-1", "group": "1016042"}
"""

from osler.datasets.classes import PicturesByClass, ask_class
from osler.datasets.dataset import Dataset, Row, Skip
from osler.schema.sample import Sample, image

_NAMES = {
    "CNV": "choroidal neovascularization",
    "DME": "diabetic macular edema",
    "DRUSEN": "drusen",
    "NORMAL": "normal",
}
# A copy in wide use has a blank at the end of the folder's name.
_FOLDERS = ("OCT2017/{}", "OCT2017 /{}", "CellData/OCT/{}", "OCT/{}", "{}")


def to_sample(row: Row) -> Sample | Skip:
    """Ask what the scan shows."""
    if row["label"] not in _NAMES:
        return Skip(f"folder {row['label']!r} is no class")
    names = tuple(_NAMES.values())
    return ask_class(
        image(row["image"]), "What does this retinal OCT scan show?", label=_NAMES[row["label"]], names=names
    )


def patient_of(stem: str) -> str:
    """The patient's number in `CLASS-PATIENT-IMAGE`; the whole name where it is of another form."""
    parts = stem.split("-")
    return parts[1] if len(parts) == 3 else stem


DATASET = Dataset(
    licence="CC-BY-4.0",
    access="open",
    modality="oct",
    body_part="retina",
    group_key="group",
    group_unit="patient",
    shared_groups=True,
    id_key="id",
    splits={"train": 108309, "validation": None, "test": 1000},
    stages=("classify",),
    known_from="card",
    rows=PicturesByClass(
        {
            split: tuple(folder.format(name) for folder in _FOLDERS)
            for split, name in (("train", "train"), ("validation", "val"), ("test", "test"))
        },
        group=patient_of,
    ),
    to_sample=to_sample,
    citation="Kermany et al. Identifying medical diagnoses and treatable diseases by image-based deep learning. Cell "
    "172(5), 1122-1131 (2018). doi:10.1016/j.cell.2018.02.010",
    source_url="https://data.mendeley.com/datasets/rscbjbr9sj",
    layout="OCT2017/{train,test}/{CNV,DME,DRUSEN,NORMAL}/CLASS-PATIENT-IMAGE.jpeg",
    notes="The counts are those of the full release; the copy on Kaggle has about 83,484 in train, 968 in test and 32 "
    "in val. In some copies patients of the test folder are in the train folder, too, and images are repeated: split "
    "by the patient's number, which is in the file's name, and look for duplicates.",
)

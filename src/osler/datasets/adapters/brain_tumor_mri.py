"""Brain tumor MRI: single slices with glioma, meningioma, pituitary tumor, or none.

Row: {"image": "Training/no_tumor/image(1).jpg", "label": "no_tumor", "id": "no_tumor/image(1)"}
"""

from osler.datasets.classes import PicturesByClass, ask_class
from osler.datasets.dataset import Dataset, Row, Skip
from osler.schema.sample import Sample, image

# Copies of the set name the folders with and without `_tumor`.
_NAMES = {"glioma": "glioma", "meningioma": "meningioma", "pituitary": "pituitary tumor", "no": "no tumor"}


def to_sample(row: Row) -> Sample | Skip:
    """Ask which tumor the slice shows."""
    folder = row["label"].lower()
    label = _NAMES.get(folder.removesuffix("tumor").rstrip("_"))
    if label is None:
        return Skip(f"folder {row['label']!r} is no class")
    names = tuple(_NAMES.values())
    return ask_class(
        image(row["image"]), "Which tumor, if any, does this brain MRI slice show?", label=label, names=names
    )


DATASET = Dataset(
    licence="MIT",
    access="open",
    modality="mri",
    body_part="brain",
    group_key="group",
    group_unit="image",
    id_key="id",
    splits={"train": 2870, "test": 394},
    stages=("classify",),
    known_from="file",
    rows=PicturesByClass({"train": ("Training",), "test": ("Testing",)}),
    to_sample=to_sample,
    citation="Bhuvaji et al. Brain tumor classification (MRI). Kaggle (2020). doi:10.34740/kaggle/dsv/1183165. Most "
    "slices: Cheng. Brain tumor dataset. figshare (2017). doi:10.6084/m9.figshare.1512427",
    source_url="https://github.com/SartajBhuvaji/Brain-Tumor-Classification-DataSet",
    layout="{Training,Testing}/{glioma_tumor,meningioma_tumor,no_tumor,pituitary_tumor}/*.jpg",
    notes="Slices of the same patients lie in both folders, some of them byte for byte the same, and no patient is "
    "named: remove duplicates, and take no score on Testing for one on unseen patients. Labels of glioma slices in "
    "Testing have been called wrong. The repository states no licence; its author's copy on Kaggle says MIT, the "
    "source of most slices CC BY 4.0.",
)

"""MedMNIST: twelve sets of small medical images with fixed splits, each in one numpy file.

Row: {"image": "pathmnist/train_images-0000000.png", "label": [3], "_file": "pathmnist.npz", "places": {...}}
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from osler.datasets.classes import ask_class
from osler.datasets.dataset import BadRow, Dataset, Row, Skip
from osler.datasets.read import npz
from osler.schema.sample import Provenance, Sample, closed, image, user

_URL = "https://zenodo.org/records/10519652"
_ARRAYS = npz(
    "*mnist*.npz",
    splits={"train": "train", "validation": "val", "test": "test"},
    images="{split}_images",
    labels="{split}_labels",
)


@dataclass(frozen=True)
class _Set:
    """One of the sets: what its images are, and its classes by number."""

    modality: str
    body_part: str
    question: str
    names: tuple[str, ...]
    licence: str = "CC-BY-4.0"


_ORGANS = _Set(
    "ct",
    "abdomen",
    "Which organ is in the middle of this CT slice?",
    (
        *("bladder", "left femur", "right femur", "heart", "left kidney", "right kidney"),
        *("liver", "left lung", "right lung", "pancreas", "spleen"),
    ),
)
_FINDINGS = (
    *("atelectasis", "cardiomegaly", "effusion", "infiltration", "mass", "nodule", "pneumonia", "pneumothorax"),
    *("consolidation", "edema", "emphysema", "fibrosis", "pleural thickening", "hernia"),
)
_SETS = {
    "pathmnist": _Set(
        "histopathology",
        "colon",
        "Which tissue does this patch show?",
        (
            *("adipose", "background", "debris", "lymphocytes", "mucus", "smooth muscle", "normal colon mucosa"),
            *("cancer-associated stroma", "colorectal adenocarcinoma epithelium"),
        ),
    ),
    "chestmnist": _Set("x-ray", "chest", "Which findings does this chest radiograph show?", _FINDINGS),
    "dermamnist": _Set(
        "dermoscopy",
        "skin",
        "Which lesion does this dermoscopic image show?",
        (
            *("actinic keratoses and intraepithelial carcinoma", "basal cell carcinoma"),
            *("benign keratosis-like lesions", "dermatofibroma", "melanoma", "melanocytic nevi", "vascular lesions"),
        ),
        licence="CC-BY-NC-4.0",
    ),
    "octmnist": _Set(
        "oct",
        "retina",
        "What does this retinal OCT scan show?",
        ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    ),
    "pneumoniamnist": _Set(
        "x-ray", "chest", "What does this chest radiograph of a child show?", ("normal", "pneumonia")
    ),
    "retinamnist": _Set(
        "fundus",
        "retina",
        "Which grade of diabetic retinopathy, from 0 to 4, does this fundus photograph show?",
        tuple(f"grade {n}" for n in range(5)),
    ),
    "breastmnist": _Set(
        "ultrasound", "breast", "What does this breast ultrasound image show?", ("malignant", "normal or benign")
    ),
    "bloodmnist": _Set(
        "microscopy",
        "blood",
        "Which cell is this?",
        (
            *("basophil", "eosinophil", "erythroblast"),
            "immature granulocyte (myelocyte, metamyelocyte or promyelocyte)",
            *("lymphocyte", "monocyte", "neutrophil", "platelet"),
        ),
    ),
    "tissuemnist": _Set(
        "microscopy",
        "kidney",
        "Which kidney cortex cell is this?",
        (
            *("collecting duct, connecting tubule", "distal convoluted tubule", "glomerular endothelial cells"),
            *("interstitial endothelial cells", "leukocytes", "podocytes", "proximal tubule segments"),
            "thick ascending limb",
        ),
    ),
    **dict.fromkeys(("organamnist", "organcmnist", "organsmnist"), _ORGANS),
}


@dataclass(frozen=True)
class NamedArrays:
    """The rows of all files at hand, each with the name of its set and an id that other files do not change."""

    def __call__(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        """The rows of `split`, file by file."""
        for row in _ARRAYS(root, split):
            if isinstance(row, BadRow):
                yield row
                continue
            stem = PurePosixPath(row["_file"]).stem
            number = PurePosixPath(row["image"]).stem.rpartition("-")[2]
            yield {**row, "set": stem.partition("_")[0], "id": f"{stem}-{number}"}

    def paths(self, root: Path, split: str) -> list[Path]:
        """All files: each holds every split."""
        return _ARRAYS.paths(root, split)


def to_sample(row: Row) -> Sample | Skip:
    """Ask for the class; of chest radiographs, for all findings."""
    about = _SETS.get(row["set"])
    if about is None:
        return Skip(f"{row['set']} is none of the sets of 2D images")
    provenance = Provenance(dataset="med_mnist", record_id=row["id"], licence=about.licence, source_url=_URL)
    if row["set"] == "chestmnist":
        return _findings(row, about, provenance)
    if len(row["label"]) != 1 or row["label"][0] not in range(len(about.names)):
        return Skip(f"label {row['label']} is no class of {row['set']}")
    return ask_class(
        image(row["image"]),
        about.question,
        label=about.names[row["label"][0]],
        names=about.names,
        modality=about.modality,
        body_part=about.body_part,
        tags=(f"set:{row['set']}",),
        provenance=provenance,
    )


def _findings(row: Row, about: _Set, provenance: Provenance) -> Sample | Skip:
    if len(row["label"]) != len(about.names):
        return Skip(f"{len(row['label'])} labels, expected {len(about.names)}")
    found = [name for name, is_there in zip(about.names, row["label"], strict=True) if is_there]
    asked = f"{about.question}\nAnswer with all that apply of: {', '.join(about.names)}; or with: no finding."
    return Sample(
        turns=(user(image(row["image"]), asked),),
        answer=closed(", ".join(found) or "no finding", labels=()),
        task="multi_label",
        modality=about.modality,
        body_part=about.body_part,
        tags=("set:chestmnist",),
        provenance=provenance,
    )


DATASET = Dataset(
    licence="per-item",
    access="open",
    modality="mixed",
    group_key="image",
    group_unit="image",
    id_key="id",
    splits={"train": None, "validation": None, "test": None},
    stages=("classify",),
    known_from="code",
    rows=NamedArrays(),
    to_sample=to_sample,
    citation="Yang et al. MedMNIST v2: a large-scale lightweight benchmark for 2D and 3D biomedical image "
    "classification. Scientific Data 10, 41 (2023). doi:10.1038/s41597-022-01721-8",
    source_url=_URL,
    layout="one or more of pathmnist.npz, bloodmnist.npz, ... (or SET_64.npz, SET_128.npz, SET_224.npz), each with "
    "{train,val,test}_images and {train,val,test}_labels",
    notes="All files in the folder are read; keep one size of each set. CC BY 4.0, of DermaMNIST CC BY-NC 4.0. Test "
    "images: path 7,180, chest 22,433, derma 2,005, oct 1,000, pneumonia 624, retina 400, breast 156, blood 3,421, "
    "tissue 47,280, organ A, C, S 17,778, 8,216, 8,827 in the newest release. BreastMNIST joins normal and benign. "
    "ChestMNIST has up to 14 findings an image. Patients and scans are not named: DermaMNIST has images of one lesion "
    "in several splits, and organ slices of one scan follow each other.",
)

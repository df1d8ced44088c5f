"""BUSI: breast ultrasound images of 600 women, benign, malignant or normal, with drawn masks of the lesions.

Row: {"image": "Dataset_BUSI_with_GT/benign/benign (1).png", "label": "benign", "id": "benign/benign_(1)",
      "mask": "Dataset_BUSI_with_GT/benign/benign (1)_mask.png" or None}
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osler.datasets.classes import PicturesByClass, ask_class, png_facts
from osler.datasets.dataset import Dataset, Row
from osler.schema.media import MaskRef
from osler.schema.sample import Sample, image

_NAMES = ("benign", "malignant", "normal")
_PICTURES = PicturesByClass({"train": ("Dataset_BUSI_with_GT", ".")}, keep=lambda name: "_mask" not in name)


@dataclass(frozen=True)
class WithMasks:
    """The pictures, each with its mask where there is exactly one of the form that a sample can name."""

    def __call__(self, root: Path, split: str) -> Iterator[Row]:
        """The pictures, by class and then by name."""
        for row in _PICTURES(root, split):
            yield {**row, "mask": _mask(root, row["image"]) if row["label"] != "normal" else None}

    def paths(self, root: Path, split: str) -> list[Path]:
        """The folder with the class folders, or the first of these where the root does not hold them."""
        found = _PICTURES.paths(root, split)[0]
        return [found] if (found / _NAMES[0]).is_dir() else [root / "Dataset_BUSI_with_GT" / _NAMES[0]]


def to_sample(row: Row) -> Sample:
    """Ask what the image shows."""
    mask = MaskRef(path=row["mask"], labels=("lesion",)) if row["mask"] else None
    return ask_class(
        image(row["image"], mask=mask), "What does this breast ultrasound image show?", label=row["label"], names=_NAMES
    )


def _mask(root: Path, picture: str) -> str | None:
    """The path of the picture's one mask: gray, of the picture's size, so that bit 0 of its 255 is the lesion."""
    stem = picture.removesuffix(".png")
    path = f"{stem}_mask.png"
    own, drawn = png_facts(root / picture), png_facts(root / path)
    if own is None or drawn is None or (root / f"{stem}_mask_1.png").exists():
        return None
    fits = drawn.is_gray and drawn.bits in (1, 8) and (own.width, own.height) == (drawn.width, drawn.height)
    return path if fits else None


DATASET = Dataset(
    licence="CC-BY-4.0",
    access="open",
    modality="ultrasound",
    body_part="breast",
    group_key="group",
    group_unit="image",
    id_key="id",
    splits={"train": 780},
    stages=("classify",),
    known_from="file",
    rows=WithMasks(),
    to_sample=to_sample,
    citation="Al-Dhabyani et al. Dataset of breast ultrasound images. Data in Brief 28, 104863 (2020). "
    "doi:10.1016/j.dib.2019.104863",
    source_url="https://scholar.cu.edu.eg/?q=afahmy/pages/dataset",
    layout="Dataset_BUSI_with_GT/{benign,malignant,normal}/*.png with *_mask.png beside them",
    notes="437 benign, 210 malignant, 133 normal; no official split and no patient numbers, though women have several "
    "images: a random split mixes patients. Some images are in the set more than once, a few of them under two "
    "classes, and some have calipers or text drawn in: run the operators that find duplicates before splitting. A mask "
    "is kept where there is one, gray, and as large as its image; images with several masks or coloured ones have "
    "none. The article is under CC BY 4.0; a copy on Kaggle says CC0.",
)

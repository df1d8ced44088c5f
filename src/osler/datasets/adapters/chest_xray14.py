"""ChestX-ray14: 112,120 frontal chest radiographs of 30,805 patients with up to 14 findings each.

Row: {"Image Index": "00000001_000.png", "Finding Labels": "Cardiomegaly|Emphysema", "Follow-up #": "1",
      "Patient ID": "1", "Patient Age": "058Y", "Patient Gender": "M", "View Position": "PA", ...}
"""

from collections.abc import Iterator
from pathlib import Path

from osler.core.errors import InputError
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import FirstOf, csv_table
from osler.schema.sample import Sample, image, open_answer, user

FINDINGS = (
    *("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema", "Fibrosis", "Hernia"),
    *("Infiltration", "Mass", "Nodule", "Pleural_Thickening", "Pneumonia", "Pneumothorax"),
)
_NORMAL = "No Finding"
_LISTS = {"train": "train_val_list.txt", "test": "test_list.txt"}
_ASK = (
    "Which of these findings does this chest radiograph show? "
    + ", ".join(name.replace("_", " ").lower() for name in FINDINGS)
    + ". Name all that it shows, in this order and separated by commas; or answer: no finding."
)


def to_sample(row: Row) -> Sample | Skip:
    """Ask for all findings at once; each label is a tag too."""
    labels = [label.strip() for label in row["Finding Labels"].split("|") if label.strip()]
    unknown = sorted({*labels} - {*FINDINGS, _NORMAL})
    if unknown:
        return Skip(f"unknown label {unknown[0]}")
    if not labels or (_NORMAL in labels and len(labels) > 1):
        return Skip("no label" if not labels else "no finding and a finding at once")
    labels.sort()
    return Sample(
        turns=(user(image(row["Image Index"], view=row["View Position"].strip()), _ASK),),
        answer=open_answer(", ".join(label.replace("_", " ").lower() for label in labels)),
        task="multi_label",
        tags=tuple(f"label:{label.replace(' ', '_')}" for label in labels),
    )


def of_split(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows that the split's list names, each with the place of its image."""
    names = root / _LISTS[split]
    if not names.is_file():
        raise InputError(f"{root} lacks {names.name}, which tells the {split} split", fix="Copy it beside the table.")
    listed = set(names.read_text(encoding="utf-8").split())
    folders = {} if (root / "images").is_dir() else _folders(root)
    for row in rows:
        name = row["Image Index"]
        if name in listed:
            yield {**row, "places": {name: f"{folders[name]}/{name}"}} if name in folders else row


def _folders(root: Path) -> dict[str, str]:
    """The folder of each image, where the twelve parts were unpacked side by side (images_001/images/, ...)."""
    folders = sorted(folder for folder in root.glob("images_*/images") if folder.is_dir())
    return {path.name: folder.relative_to(root).as_posix() for folder in folders for path in folder.iterdir()}


DATASET = Dataset(
    licence="LicenseRef-NIH-ChestXray14",
    access="open",
    modality="x-ray",
    body_part="chest",
    group_key="Patient ID",
    id_key="Image Index",
    splits={"train": 86524, "test": 25596},
    rows=FirstOf(
        tuple(
            csv_table(
                dict.fromkeys(_LISTS, name),
                fields=("Image Index", "Finding Labels", "Patient ID", "View Position"),
                change=of_split,
            )
            for name in ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
        )
    ),
    to_sample=to_sample,
    media_folder="images",
    stages=("classify",),
    group_unit="patient",
    known_from="code",
    citation="Wang et al. ChestX-ray8: hospital-scale chest X-ray database and benchmarks on weakly-supervised "
    "classification and localization of common thorax diseases. CVPR 2017. arXiv:1705.02315",
    source_url="https://nihcc.app.box.com/v/ChestXray-NIHCC",
    layout="Data_Entry_2017_v2020.csv or Data_Entry_2017.csv, train_val_list.txt, test_list.txt, and images/ (or "
    "images_001/images/ to images_012/images/)",
    notes="The official splits are by patient. Labels were mined from reports by rules and are wrong in part. The "
    "licence asks for a link to the source, the citation and a mention of the NIH Clinical Center.",
)

"""DICOM folder: studies of your own archive, after `osler deid` has taken the persons out of them.

Row (studies.jsonl): {"study": "s-1c0e", "patient": "p-77b1", "split": "train", "modality": "DX", "body_part": "chest",
     "images": [{"path": "images/p-77b1/s-1c0e/i-5d02-0000.png", "view": "PA", "bits": 16,
                 "window": {"center": 2047.5, "width": 4095}}],
     "volumes": ["dicom/p-77b1/s-1c0e/s-90aa"], "report": "The lungs are clear."}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import jsonl
from osler.schema.media import MediaRef
from osler.schema.sample import Sample, image, open_answer, passage, user

_NAMES = {
    "CR": "radiograph", "DX": "radiograph", "RG": "radiograph", "MG": "mammogram", "US": "ultrasound", "CT": "CT",
    "MR": "MRI", "PT": "PET", "NM": "scintigraphy", "XA": "angiography", "RF": "fluoroscopy", "OP": "fundus photograph",
    "OPT": "optical coherence tomography", "ES": "endoscopy", "SM": "microscopy", "XC": "photograph",
    "IO": "intraoral radiograph", "PX": "panoramic radiograph",
}  # fmt: skip


def to_sample(row: Row) -> Sample | Skip:
    """Ask for the report of a study; of one without a report, what kind of examination it shows."""
    media: list[MediaRef] = [image(**{k: v for k, v in picture.items() if v}) for picture in row["images"]]
    media += [MediaRef(path=path, kind="volume") for path in row["volumes"]]
    modality, report = str(row["modality"]), str(row["report"]).strip()
    if not media:
        return Skip("the study has neither pictures nor scans")
    if not report and modality not in _NAMES:
        return Skip("the study has no report, and its modality has no name")
    question = "Write the report of this study." if report else "Which kind of examination is this?"
    return Sample(
        turns=(user(*media, question),),
        answer=passage(report) if report else open_answer(_NAMES[modality]),
        task="report" if report else "vqa",
        modality=_NAMES.get(modality, modality.lower()),
        body_part=str(row["body_part"]),
    )


DATASET = Dataset(
    licence="NOASSERTION",
    access="credentialed",
    modality="radiology",
    group_key="patient",
    group_unit="patient",
    id_key="study",
    known_from="file",
    splits={"train": None, "validation": None, "test": None},
    rows=jsonl("studies.jsonl", fields=("study", "patient", "split", "modality", "images", "volumes", "report")),
    to_sample=to_sample,
    layout="studies.jsonl with images/ and dicom/ beside it, as `osler deid` writes them",
    notes="Not a published set. Raw DICOM files are never read here: `osler deid` comes first. Scans need a section "
    "`volumes` in the recipe.",
)

"""MIMIC-CXR: findings of chest radiographs of 65,379 patients, one image a study.

Row: {"id": "s50414267-findings", "task": "findings", "subject_id": "10000032", "study_id": "50414267",
      "views": [{"path": "p10/p10000032/s50414267/02aa....jpg", "view": "PA"}, ...], "prior": {...} or None,
      "report": "FINAL REPORT ...", "prior_report": "..." or None}
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.mimic import MimicStudies, patient_group, study_of
from osler.datasets.report_tasks import findings_sample
from osler.datasets.reports import NO_REPORT, parse_report
from osler.datasets.studies import Study
from osler.schema.sample import Sample


def to_sample(row: Row) -> Sample | Skip:
    """Show the first view in the declared order, frontal first, and ask for the findings."""
    if row["report"] is None:
        return Skip(NO_REPORT)
    study = study_of(row)
    sample = findings_sample(parse_report(row["report"]), Study(study.id, study.views[:1], study.time))
    if isinstance(sample, Skip):
        return sample
    is_alone = len(study.views) == 1 and row["prior"] is None
    tags = (*sample.tags, "only_image") if is_alone else sample.tags
    return sample.model_copy(update={"group": patient_group(row["subject_id"]), "tags": tags})


DATASET = Dataset(
    licence="LicenseRef-PhysioNet-Credentialed-1.5.0",
    access="credentialed",
    modality="x-ray",
    body_part="chest",
    group_key="subject_id",
    id_key="id",
    splits={"train": None, "validation": None, "test": None},
    rows=MimicStudies(tasks=("findings",)),
    to_sample=to_sample,
    media_folder="files",
    stages=("midtrain", "evaluate"),
    group_unit="patient",
    citation="Johnson et al. MIMIC-CXR, a de-identified publicly available database of chest radiographs with "
    "free-text reports. Scientific Data 6, 317 (2019). MIMIC-CXR-JPG: arXiv:1901.07042",
    source_url="https://physionet.org/content/mimic-cxr-jpg/2.1.0/",
    layout="mimic-cxr-2.0.0-split.csv.gz, mimic-cxr-2.0.0-metadata.csv.gz, files/pXX/pSUBJECT/sSTUDY/DICOM.jpg, and "
    "the reports of mimic-cxr as files/pXX/pSUBJECT/sSTUDY.txt or mimic-cxr-reports.zip",
    notes="Splits are by patient. A study without findings is skipped and counted by its reason; no number of "
    "studies with findings is published. Samples with the tag only_image are of studies with one image and no prior "
    "study; mimic_cxr_longitudinal has all others with every view. For a mix without repeats take these two.",
)

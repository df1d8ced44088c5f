"""MIMIC-CXR, multi-view and longitudinal: findings from all views and the prior study; impressions from findings.

Row: {"id": "s50414267-findings", "task": "findings" or "impression", "subject_id": "10000032",
      "study_id": "50414267", "views": [{"path": "p10/.../02aa....jpg", "view": "PA"}, ...],
      "prior": {"study_id": "...", "views": [...]} or None, "report": "FINAL REPORT ...", "prior_report": ...}
Or:  {"id": "...", "image": ["files/p10/p10000032/s.../....jpg", ...], "conversations": [{"from": "human",
      "value": "<image> ... current AP image ... prior lateral image ... INDICATION: ..."}, {"from": "gpt", ...}]}
"""

import re
from collections.abc import Iterator
from pathlib import Path

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.mimic import MimicStudies, below_files, patient_group, study_of, subject_of
from osler.datasets.read import FirstOf, json_list
from osler.datasets.report_tasks import findings_sample, impression_sample
from osler.datasets.reports import NO_REPORT, parse_report
from osler.datasets.studies import view_name
from osler.schema.sample import Sample, image, passage, user

_NAMED = re.compile(r"\b(current|prior)\s+([\w/-]+)\s+image", re.IGNORECASE)


def to_sample(row: Row) -> Sample | Skip:
    """Ask for the findings of all views, the prior study's shown behind them, or for the impression."""
    sample = _from_conversation(row) if "conversations" in row else _from_study(row)
    if isinstance(sample, Skip):
        return sample
    return sample.model_copy(update={"group": patient_group(row["subject_id"])})


def _from_study(row: Row) -> Sample | Skip:
    if row["report"] is None:
        return Skip(NO_REPORT)
    report = parse_report(row["report"])
    if row["task"] == "impression":
        return impression_sample(report)
    if len(row["views"]) == 1 and row["prior"] is None:
        return Skip("one image and no prior study: a sample of mimic_cxr")
    return findings_sample(report, study_of(row), study_of(row["prior"]) if row["prior"] else None)


def _from_conversation(row: Row) -> Sample | Skip:
    """The prompt as it was written; what it calls its images in turn are their times and views."""
    words = [turn["value"] for turn in row["conversations"]]
    if len(words) != 2 or not words[1].strip():
        return Skip("not one question with one answer")
    named = [*_NAMED.findall(words[0]), *[("", "")] * len(row["image"])]
    refs = [
        image(below_files(path), time=time.lower(), view=view_name(view))
        for path, (time, view) in zip(row["image"], named, strict=False)
    ]
    tags = ["multi_view"] if sum(ref.time != "prior" for ref in refs) > 1 else []
    tags += ["longitudinal"] if any(ref.time == "prior" for ref in refs) else []
    return Sample(
        turns=(user(*refs, " ".join(words[0].replace("<image>", " ").split())),),
        answer=passage(words[1].strip()),
        task="findings",
        tags=("task:findings", *(tags or ["single_view"])),
    )


def with_subject(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Add the patient, whom the images' paths name."""
    for row in rows:
        subject = next(filter(None, map(subject_of, row["image"])), f"of-{row['id']}")
        yield {**row, "subject_id": subject}


DATASET = Dataset(
    licence="LicenseRef-PhysioNet-Credentialed-1.5.0",
    access="credentialed",
    modality="x-ray",
    body_part="chest",
    group_key="subject_id",
    id_key="id",
    splits={"train": None, "validation": None, "test": None},
    rows=FirstOf(
        (
            MimicStudies(tasks=("findings", "impression")),
            json_list(
                {"train": "mimic_cxr_train.json", "validation": "mimic_cxr_val.json", "test": "mimic_cxr_test.json"},
                fields=("id", "image", "conversations"),
                change=with_subject,
            ),
        )
    ),
    to_sample=to_sample,
    media_folder="files",
    stages=("midtrain", "evaluate"),
    group_unit="patient",
    known_from="code",
    citation="Johnson et al. MIMIC-CXR, a de-identified publicly available database of chest radiographs with "
    "free-text reports. Scientific Data 6, 317 (2019). MIMIC-CXR-JPG: arXiv:1901.07042",
    source_url="https://physionet.org/content/mimic-cxr-jpg/2.1.0/",
    layout="as mimic_cxr; or mimic_cxr_train.json and mimic_cxr_test.json with id, image and conversations, and files/",
    notes="Splits are by patient. At most four views of the study and two of its prior are shown. The prior study is "
    "the patient's last one with an earlier date and time; its findings are not given. The tag task:findings or "
    "task:impression tells the two tasks; an impression is asked for without images. Published recipes train on "
    "146,893 multi-view and longitudinal samples without telling how these were chosen.",
)

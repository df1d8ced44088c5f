"""Reader of MIMIC-CXR-JPG with the reports of MIMIC-CXR: one study after the other, patient by patient.

Published: mimic-cxr-2.0.0-split.csv[.gz] (dicom_id, study_id, subject_id, split), mimic-cxr-2.0.0-metadata.csv[.gz]
(dicom_id, subject_id, study_id, ViewPosition, StudyDate, StudyTime and more), files/pXX/pSUBJECT/sSTUDY/DICOM.jpg;
reports are files/pXX/pSUBJECT/sSTUDY.txt, the same below mimic-cxr-reports/, or members of mimic-cxr-reports.zip.
"""

import re
import zipfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.errors import InputError
from osler.datasets.dataset import BadRow, Row
from osler.datasets.read import csv_table
from osler.datasets.studies import Study, View, ordered, study_time, view_name, with_prior

_SPLIT_FILE = "mimic-cxr-2.0.0-split.csv"
_METADATA_FILE = "mimic-cxr-2.0.0-metadata.csv"
_ZIP = "mimic-cxr-reports.zip"
_NAMES = {"train": "train", "validate": "validation", "test": "test"}
_NO_TIME = -1
_SUBJECT = re.compile(r"(?:^|/)p(\d{8})(?=/)")


@dataclass(frozen=True)
class MimicStudies:
    """Rows of studies, first to last study of a patient and patient by patient.

    Row: {"id", "task", "subject_id", "study_id", "views": [{"path", "view"}], "prior": {"study_id", "views"} or None,
    "report": text or None, "prior_report": text or None}. `id` names study and task.

    tasks: a row for each of them. Only the tables of one split's images are held, about 80 bytes an image.
    """

    tasks: tuple[str, ...]

    def __call__(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        """The studies of `split`, which is the split of their patient."""
        splits = _split_of_subjects(root)
        images = _Images()
        fields = ("dicom_id", "subject_id", "study_id", "ViewPosition", "StudyDate", "StudyTime")
        for row in csv_table({split: _table(root, _METADATA_FILE).name}, fields=fields)(root, split):
            if isinstance(row, BadRow):
                yield row
            elif not (row["subject_id"].isdigit() and row["study_id"].isdigit()):
                yield BadRow("an image's patient or study is not a number")
            elif int(row["subject_id"]) not in splits:
                yield BadRow(f"an image's patient is not in {_SPLIT_FILE}")
            elif splits[int(row["subject_id"])] == split:
                images.add(row)
        with ExitStack() as stack:
            read = _report_reader(root, stack)
            for subject, studies in images.by_subject():
                yield from self._rows(subject, studies, read)

    def paths(self, root: Path, split: str) -> list[Path]:
        """The two tables; reports are looked for study by study."""
        return [_table(Path(root), name) for name in (_SPLIT_FILE, _METADATA_FILE)]

    def _rows(self, subject: int, studies: list[Study], read: Callable[[str], str | None]) -> Iterator[Row]:
        past: dict[str, str | None] = {}
        for study, prior in with_prior(studies):
            report = read(f"{_folder(subject)}/s{study.id}.txt")
            row = {
                "subject_id": str(subject),
                "study_id": study.id,
                "views": _views(study),
                "prior": {"study_id": prior.id, "views": _views(prior)} if prior else None,
                "report": report,
                "prior_report": past.get(prior.id) if prior else None,
            }
            past[study.id] = report
            yield from ({"id": f"s{study.id}-{task}", "task": task, **row} for task in self.tasks)


def study_of(row: Row) -> Study:
    """The study of a row, or of its field `prior`."""
    return Study(row["study_id"], tuple(View(view["path"], view["view"]) for view in row["views"]))


def patient_group(subject: str) -> str:
    """The group of a patient, the same in every set that is made from MIMIC-CXR: its splits are not all alike."""
    return f"mimic:{subject}"


def subject_of(path: str) -> str:
    """The patient whom an image's path names (`p10/p10000032/s50414267/...`), else ""."""
    match = _SUBJECT.search(path)
    return match[1] if match else ""


def below_files(path: str) -> str:
    """An image's path below the folder `files`, however far above it begins."""
    return path.rpartition("files/")[2].lstrip("/")


@dataclass
class _Images:
    """The table of images in columns: a list of rows would take ten times as much."""

    subjects: "array[int]" = field(default_factory=lambda: array("q"))
    studies: "array[int]" = field(default_factory=lambda: array("q"))
    times: "array[int]" = field(default_factory=lambda: array("q"))
    views: "array[int]" = field(default_factory=lambda: array("H"))
    ends: "array[int]" = field(default_factory=lambda: array("q"))
    names: bytearray = field(default_factory=bytearray)
    view_names: dict[str, int] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Take one row of the published table."""
        time = study_time(row["StudyDate"], row["StudyTime"])
        self.subjects.append(int(row["subject_id"]))
        self.studies.append(int(row["study_id"]))
        self.times.append(_NO_TIME if time is None else time)
        self.views.append(self.view_names.setdefault(view_name(row["ViewPosition"]), len(self.view_names)))
        self.names += row["dicom_id"].encode()
        self.ends.append(len(self.names))

    def by_subject(self) -> Iterator[tuple[int, list[Study]]]:
        """Each patient's studies, patients in order of their numbers."""
        order = np.lexsort((np.asarray(self.studies), np.asarray(self.subjects)))
        for subject, numbers in groupby(order.tolist(), key=self.subjects.__getitem__):
            studies = groupby(numbers, key=self.studies.__getitem__)
            yield subject, [self._study(subject, study, list(found)) for study, found in studies]

    def _study(self, subject: int, study: int, numbers: list[int]) -> Study:
        names = list(self.view_names)
        folder = f"{_folder(subject)}/s{study}"
        views = ordered(View(f"{folder}/{self._name(n)}.jpg", names[self.views[n]]) for n in numbers)
        times = [self.times[n] for n in numbers if self.times[n] != _NO_TIME]
        return Study(str(study), views, min(times, default=None))

    def _name(self, number: int) -> str:
        first = self.ends[number - 1] if number else 0
        return self.names[first : self.ends[number]].decode()


def _split_of_subjects(root: Path) -> dict[int, str]:
    """The split of each patient.

    Raises:
        InputError: a patient is in two splits, which the published table does not do.
    """
    found: dict[int, str] = {}
    fields = ("dicom_id", "study_id", "subject_id", "split")
    for row in csv_table({"all": _table(root, _SPLIT_FILE).name}, fields=fields)(root, "all"):
        # A line that cannot be read costs nothing here: the images are counted by the metadata.
        if isinstance(row, BadRow) or not row["subject_id"].isdigit():
            continue
        subject = int(row["subject_id"])
        name: str = _NAMES.get(row["split"], str(row["split"]))
        if found.setdefault(subject, name) != name:
            raise InputError(
                f"patient {subject} is in splits {found[subject]} and {name} of {_SPLIT_FILE}",
                expected="each patient in one split, as published",
            )
    return found


def _report_reader(root: Path, stack: ExitStack) -> Callable[[str], str | None]:
    """A function from a path below `files` to a report's text, None where there is none."""
    folders = [folder for folder in (root / "mimic-cxr-reports" / "files", root / "files") if folder.is_dir()]
    archive = stack.enter_context(zipfile.ZipFile(root / _ZIP)) if (root / _ZIP).is_file() else None
    members = set(archive.namelist()) if archive else set()

    def read(path: str) -> str | None:
        for folder in folders:
            try:
                return (folder / path).read_text(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                continue
        member = f"files/{path}"
        return archive.read(member).decode("utf-8", errors="replace") if archive and member in members else None

    return read


def _views(study: Study) -> list[dict[str, Any]]:
    return [{"path": view.path, "view": view.name} for view in study.views]


def _folder(subject: int) -> str:
    return f"p{str(subject)[:2]}/p{subject}"


def _table(root: Path, name: str) -> Path:
    plain = root / name
    return plain if plain.exists() else root / f"{name}.gz"

"""A draft report, for the tests of its forms."""

from datetime import UTC, datetime

from osler.media.deid_key import Pseudonyms
from osler.serve.studies.draft import Draft, Patient, Seen

MADE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CT = "1.2.840.10008.5.1.4.1.1.2"
NAMES = Pseudonyms(bytes(range(64)))
DRAFT = Draft(
    model="toy",
    patient=Patient(id="p-1"),
    study_uid="2.25.7",
    findings="Heart <normal> & lungs clear.\x0b\nÜ",
    impression="No effusion.",
    seen=(Seen(class_uid=CT, instance_uid="2.25.1", series_uid="2.25.3"),),
    modality="CT",
)

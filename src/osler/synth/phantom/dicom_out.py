"""A drawn study as a DICOM file with an invented identity."""

from osler.core.rng import generator
from osler.media.dicom import Radiograph, Tags, derived_uid, dicom_bytes
from osler.synth.phantom.film import BITS, Film
from osler.synth.phantom.patient import Patient, Visit

_DETECTOR_MM = 430.0
_INSTITUTIONS = ("Phantom General Hospital", "Drawn Lake Clinic", "Saint Nowhere Infirmary")


def study_dicom(seed: int, patient: Patient, visit: Visit, *, film: Film) -> bytes:
    """The bytes of one study: a pure function of the seed and the patient's number."""
    rng = generator(seed, "dicom", patient.number, visit.number)
    time = f"{int(rng.integers(7, 20)):02d}{int(rng.integers(60)):02d}{int(rng.integers(60)):02d}"
    study = ("phantom", seed, film.study.id)
    radiograph = Radiograph(
        pixels=film.pixels,
        bits=BITS,
        window=film.window,
        view=visit.view,
        body_part="chest",
        spacing_mm=_DETECTOR_MM / film.pixels.shape[0],
        study_uid=derived_uid(*study, "study"),
        series_uid=derived_uid(*study, "series"),
        instance_uid=derived_uid(*study, "instance"),
    )
    tags = Tags(
        patient_name=patient.name,
        patient_id=f"PH{int(generator(seed, 'mrn', patient.number).integers(10**7)):07d}",
        born=patient.born,
        sex=patient.sex,
        taken=visit.taken,
        time=time,
        institution=_INSTITUTIONS[patient.number % len(_INSTITUTIONS)],
        accession=f"A{int(rng.integers(10**9)):09d}",
        description=f"Chest {visit.view}",
        number=visit.number,
    )
    return dicom_bytes(radiograph, tags)

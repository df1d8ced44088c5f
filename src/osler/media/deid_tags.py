"""The elements of a DICOM header that may stay, and the values that each may have. What is not listed here goes.

A text element is listed only with the words it may hold: a name typed into Body Part Examined is no body part. What
describes the pixels' layout (Rows, Bits Stored, ...) is not listed: it is written from the pixels themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Words:
    """Coded words; a value with any other word goes. most: how many values there may be."""

    known: frozenset[str]
    most: int = 8


@dataclass(frozen=True)
class Numbers:
    """Numbers within bounds, at most `most` of them."""

    low: float
    high: float
    most: int = 1
    whole: bool = False


Rule = Words | Numbers | Literal["uid", "class_uid", "date", "datetime", "time", "age", "items"]


def _words(text: str, *, most: int = 8) -> Words:
    return Words(frozenset(text.split()), most)


_COUNT = Numbers(0, 99_999, whole=True)
_MM = Numbers(-10_000, 10_000)
_LEVEL = Numbers(-1e6, 1e6, most=8)
BODY_PARTS = """
ABDOMEN ABDOMENPELVIS ADRENAL ANKLE AORTA ARM AXILLA BACK BLADDER BRAIN BREAST BRONCHUS BUTTOCK CALCANEUS CALF
CAROTID CEREBELLUM CERVIX CHEEK CHEST CHESTABDOMEN CHESTABDPELVIS CLAVICLE COCCYX COLON CORNEA CORONARYARTERY
CSPINE CTSPINE DUODENUM EAR ELBOW ESOPHAGUS EXTREMITY EYE FACE FEMUR FINGER FOOT FOREARM GALLBLADDER HAND HEAD
HEADNECK HEART HIP HUMERUS IAC ILEUM JAW JEJUNUM KIDNEY KNEE LARYNX LEG LIVER LSPINE LSSPINE LUNG MAXILLA
MEDIASTINUM MOUTH NECK NOSE ORBIT OVARY PANCREAS PAROTID PATELLA PELVIS PENIS PHARYNX PROSTATE RECTUM RIB SCALP
SCAPULA SCLERA SCROTUM SHOULDER SKIN SKULL SPINE SPLEEN SSPINE STERNUM STOMACH SUBMANDIBULAR TESTIS THIGH THUMB
THYMUS THYROID TIBIA TIBIAFIBULA TLSPINE TMJ TOE TRACHEA TSPINE URETER URETHRA UTERUS VAGINA WHOLEBODY WRIST ZYGOMA
"""
MODALITIES = """
AU BI CR CT DMS DX ECG EPS ES GM HD IO IVOCT IVUS MG MR NM OAM OCT OP OPM OPT OPV OT PT PX RF RG SC SM TG US VL XA
XC
"""
ALLOWED: Mapping[str, Rule] = {
    # what was taken, and of what
    "SOPClassUID": "class_uid",
    "Modality": _words(MODALITIES),
    "ImageType": _words(
        "ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER MPR PROJECTION VOLUME M P R I M_FFE M_SE M_IR FFE SE IR "
        "MAGNITUDE PHASE REAL IMAGINARY NORM DIS2D DIS3D ND MOSAIC ADC DIFFUSION TRACEW REFORMATTED RESAMPLED STATIC "
        "TOMO GATED DYNAMIC WHOLE BODY EMISSION TRANSMISSION BIPLANE MIXED NONE OTHER ABDOMINAL"
    ),
    "BodyPartExamined": _words(BODY_PARTS),
    "ViewPosition": _words(
        "AP PA LL RL LLD LLO RLD RLO LAT LATERAL CC MLO ML LM XCC XCCL XCCM FB SIO LMO CV AT RCC LCC RMLO LMLO"
    ),
    "Laterality": _words("L R U B"),
    "ImageLaterality": _words("L R U B"),
    "PatientOrientation": _words(
        "A P L R H F AL AR PL PR AH AF PH PF LH LF RH RF LA LP RA RP HA HP HL HR FA FP FL FR", most=2
    ),
    "PatientPosition": _words("HFP HFS HFDR HFDL FFP FFS FFDR FFDL LFP LFS RFP RFS AFDR AFDL PFDR PFDL SITTING"),
    "PresentationIntentType": Words(frozenset({"FOR PRESENTATION", "FOR PROCESSING"})),
    "ScanningSequence": _words("SE IR GR EP RM"),
    "SequenceVariant": _words("SK MTC SS TRSS SP MP OSP NONE"),
    "MRAcquisitionType": _words("2D 3D 1D"),
    "PatientSex": _words("M F O"),
    "PatientAge": "age",
    "LossyImageCompression": _words("00 01"),
    "RecognizableVisualFeatures": _words("YES NO"),
    # which one of which study, under other names
    "SOPInstanceUID": "uid",
    "StudyInstanceUID": "uid",
    "SeriesInstanceUID": "uid",
    "FrameOfReferenceUID": "uid",
    "StudyDate": "date",
    "SeriesDate": "date",
    "AcquisitionDate": "date",
    "ContentDate": "date",
    "AcquisitionDateTime": "datetime",
    "StudyTime": "time",
    "SeriesTime": "time",
    "AcquisitionTime": "time",
    "ContentTime": "time",
    "SeriesNumber": _COUNT,
    "AcquisitionNumber": _COUNT,
    "InstanceNumber": _COUNT,
    # how values become gray, and where they lie
    "RescaleSlope": Numbers(-1e6, 1e6),
    "RescaleIntercept": Numbers(-1e6, 1e6),
    "RescaleType": _words("HU US OD MGML PCT HU_MOD"),
    "WindowCenter": _LEVEL,
    "WindowWidth": _LEVEL,
    "VOILUTFunction": _words("LINEAR LINEAR_EXACT SIGMOID"),
    "PresentationLUTShape": _words("IDENTITY INVERSE"),
    "PixelIntensityRelationship": _words("LIN LOG DISP"),
    "PixelIntensityRelationshipSign": Numbers(-1, 1, whole=True),
    "Units": _words("BQML CNTS NONE GML SUV PROPCNTS PROPCPS CPS"),
    "ImagePositionPatient": Numbers(-10_000, 10_000, most=3),
    "ImageOrientationPatient": Numbers(-1.001, 1.001, most=6),
    "PixelSpacing": Numbers(0, 1000, most=2),
    "ImagerPixelSpacing": Numbers(0, 1000, most=2),
    "PixelAspectRatio": Numbers(1, 10_000, most=2, whole=True),
    "SliceThickness": _MM,
    "SpacingBetweenSlices": _MM,
    "SliceLocation": _MM,
    "FrameTime": Numbers(0, 100_000),
    # how it was taken
    "KVP": Numbers(0, 1000),
    "ExposureTime": Numbers(0, 100_000),
    "XRayTubeCurrent": Numbers(0, 10_000),
    "RepetitionTime": Numbers(0, 100_000),
    "EchoTime": Numbers(0, 10_000),
    "InversionTime": Numbers(0, 100_000),
    "FlipAngle": Numbers(0, 360),
    "MagneticFieldStrength": Numbers(0, 30),
    # the functional groups of multi-frame objects; what they hold is looked up here again
    "SharedFunctionalGroupsSequence": "items",
    "PerFrameFunctionalGroupsSequence": "items",
    "PixelMeasuresSequence": "items",
    "PlanePositionSequence": "items",
    "PlaneOrientationSequence": "items",
    "PixelValueTransformationSequence": "items",
    "FrameVOILUTSequence": "items",
}
STAMPS: Mapping[str, Any] = {"PatientIdentityRemoved": "YES", "LongitudinalTemporalInformationModified": "MODIFIED"}
"""What the standard wants said of a de-identified object (PS3.15 E.1.1), besides the method."""
METHODS: Mapping[str, str] = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
}
"""Codes of PS3.16 CID 7050: the profile and the options that are applied."""

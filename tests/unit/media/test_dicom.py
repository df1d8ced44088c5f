import io
import sys
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")

from osler.core.errors import InputError  # noqa: E402
from osler.media.dicom import Radiograph, Tags, derived_uid, dicom_bytes, gray_frames, read_dataset  # noqa: E402
from osler.schema.media import Window  # noqa: E402

FILM = Radiograph(
    pixels=np.arange(6 * 4, dtype=np.uint16).reshape(6, 4) * 170,
    bits=12,
    window=Window(center=2000, width=3500),
    view="PA",
    body_part="chest",
    spacing_mm=4.2,
    study_uid=derived_uid("study"),
    series_uid=derived_uid("series"),
    instance_uid=derived_uid("instance"),
)
TAGS = Tags("Doe^Invented", "X1", date(1950, 2, 3), "F", date(2020, 4, 5), "101112", "Nowhere", "A1", "Chest PA")


def written(path, film=FILM):
    path.write_bytes(dicom_bytes(film, TAGS))
    return path


def changed(path, **elements):
    """The file at `path` with some elements set, or removed where None."""
    dataset = pydicom.dcmread(path)
    for name, value in elements.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    dataset.save_as(path)
    return path


def test_a_radiograph_survives_the_file(tmp_path):
    dataset = read_dataset(written(tmp_path / "a.dcm"))
    np.testing.assert_array_equal(gray_frames(dataset, "a.dcm"), FILM.pixels[None])
    assert (dataset.ViewPosition, dataset.BodyPartExamined, dataset.ImagerPixelSpacing[0]) == ("PA", "CHEST", 4.2)
    uids = (dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)
    assert uids == (FILM.study_uid, FILM.series_uid, FILM.instance_uid)


def test_the_file_says_how_to_read_it():
    dataset = pydicom.dcmread(io.BytesIO(dicom_bytes(FILM, TAGS)))
    np.testing.assert_array_equal(dataset.pixel_array, FILM.pixels)
    assert (dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit) == (16, 12, 11)
    assert dataset.PhotometricInterpretation == "MONOCHROME2" and dataset.PixelRepresentation == 0
    assert (dataset.WindowCenter, dataset.WindowWidth) == (2000, 3500)
    assert list(dataset.PatientOrientation) == ["L", "F"] and dataset.ImageLaterality == "U"
    assert (dataset.PatientName, dataset.PatientBirthDate, dataset.StudyDate) == (
        "Doe^Invented",
        "19500203",
        "20200405",
    )
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID == FILM.instance_uid


def test_equal_films_give_equal_bytes():
    assert dicom_bytes(FILM, TAGS) == dicom_bytes(FILM, TAGS)


def test_uids_are_valid_and_follow_from_their_names():
    uid = pydicom.uid.UID(derived_uid("phantom", 0, "study"))
    assert uid.is_valid and uid.startswith("2.25.") and len(uid) <= 64
    assert derived_uid("a", 1) == derived_uid("a", 1) != derived_uid("a", 2)
    assert derived_uid("a", "b") != derived_uid("ab")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixels": FILM.pixels.astype(np.int32)}, "expected uint16.*got int32"),
        ({"pixels": FILM.pixels[None]}, r"expected uint16 \[H, W\]"),
        ({"bits": 8}, "9 to 16 bits"),
        ({"bits": 10}, "a pixel of 3910 does not fit 10 bits"),
    ],
)
def test_pixels_that_do_not_fit_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        dicom_bytes(replace(FILM, **change), TAGS)


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"PhotometricInterpretation": "MONOCHROME1"}, "expected MONOCHROME2.*got MONOCHROME1"),
        ({"SamplesPerPixel": 3}, r"got MONOCHROME2, 3 sample\(s\)"),
        ({"NumberOfFrames": 2}, "cannot decode the pixels of a.dcm: Explicit VR Little Endian"),
        ({"PixelData": None}, "a.dcm holds no picture; got DX"),
        ({"PixelData": b"\0\0"}, "cannot decode the pixels of a.dcm"),
    ],
)
def test_other_files_are_refused(tmp_path, elements, message):
    path = changed(written(tmp_path / "a.dcm"), **elements)
    with pytest.raises(InputError, match=message):
        gray_frames(read_dataset(path), path.name)


def test_what_is_no_dicom_is_refused(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"not a film")
    with pytest.raises(InputError, match="a.dcm is no DICOM file"):
        read_dataset(tmp_path / "a.dcm")
    with pytest.raises(InputError, match="nothing at that path"):
        read_dataset(tmp_path / "b.dcm")


def test_without_pydicom_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(InputError, match="pip install"):
        dicom_bytes(FILM, TAGS)

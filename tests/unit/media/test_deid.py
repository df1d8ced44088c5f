"""DICOM without persons: keys, pseudonyms, headers, and files that are held back."""

import io
import zlib

import numpy as np
import pydicom
import pytest

from identities import BIG, DEFLATED, EXPLICIT, IMPLICIT, J2K, JPEG, KEY, RLE, Planted, dicom_file, gradient
from osler.core.errors import InputError
from osler.core.settings import read_settings
from osler.media.deid import Clean, HeldBack, Policy, deidentify, png_frames, shown_window
from osler.media.deid_key import Pseudonyms, read_key
from osler.media.deid_pixels import Limits
from osler.media.deid_residue import Search
from osler.media.image import decode_image, image_facts

NAMES = Pseudonyms(KEY)
FLAT = gradient(dtype="uint8", top=250)
LOSSLESS = dicom_file(syntax=JPEG, pixels=FLAT).replace(JPEG.encode(), f"{JPEG[:-2]}70".encode())


class NoText:
    """A finder that finds nothing: the header is what is tested."""

    def find(self, view):
        return []


def clean(data: bytes, **options) -> Clean:
    found = deidentify(data, Policy(NAMES, NoText(), **options))
    assert isinstance(found, Clean), found
    return found


def header(data: bytes, **options):
    return pydicom.dcmread(io.BytesIO(clean(data, **options).dicom))


def reason(data: bytes, **options) -> str:
    found = deidentify(data, Policy(NAMES, NoText(), **options))
    assert isinstance(found, HeldBack)
    return found.reason


def key_file(folder, data: bytes = KEY, mode: int = 0o600):
    path = folder / "key"
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_key_is_read_as_it_is(tmp_path):
    assert read_key(key_file(tmp_path)) == KEY


@pytest.mark.parametrize(
    ("data", "mode", "message"),
    [(KEY[:31], 0o600, "too short"), (KEY, 0o644, "others than its owner"), (b"a" * 64, 0o600, "not random")],
)
def test_a_weak_key_is_refused(tmp_path, data, mode, message):
    with pytest.raises(InputError, match=message) as raised:
        read_key(key_file(tmp_path, data, mode))
    assert data.hex()[:16] not in str(raised.value) and "aaaa" not in str(raised.value)


def test_pseudonyms_follow_from_the_key_and_hide_it():
    other = Pseudonyms(KEY[::-1])
    assert NAMES.uid("1.2.3") == Pseudonyms(KEY).uid("1.2.3") != other.uid("1.2.3")
    assert NAMES.uid("1.2.3").startswith("2.25.") and len(NAMES.uid("1.2.3")) <= 64
    assert NAMES.token("patient", "a") != NAMES.token("study", "a") != other.token("study", "a")
    assert NAMES.token("patient", "a", "b") != NAMES.token("patient", "ab")
    assert str(KEY) not in repr(NAMES) and KEY.hex() not in repr(NAMES)
    shifts = {NAMES.shift(str(n)).days for n in range(200)}
    assert len(shifts) > 150 and -3650 <= min(shifts) <= max(shifts) <= -1


def test_dates_move_together_and_the_rest_is_stamped():
    first, second = header(dicom_file(4)), header(dicom_file(5, StudyDate="20190405"))
    days = [pydicom.valuerep.DA(str(v)) for v in (first.StudyDate, first.SeriesDate, second.StudyDate)]
    assert (days[1] - days[0]).days == 2 and (days[2] - days[0]).days == 31 and first.StudyDate != "20190305"
    assert first.StudyInstanceUID == second.StudyInstanceUID != "1.2.826.0.1.77002"
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.PatientID == second.PatientID == str(first.PatientName) and first.PatientID.startswith("p-")
    assert first.PatientBirthDate == "" and first.PatientAge == "090Y" and first.PatientSex == "F"
    assert first.PatientIdentityRemoved == "YES" and first.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [item.CodeValue for item in first.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101", "113107", "113108"] and first.BurnedInAnnotation == "NO"
    assert first.ViewPosition == "PA" and first.BodyPartExamined == "CHEST" and first.StudyTime == "140000"


@pytest.mark.parametrize(("times", "expected"), [("none", None), ("hour", "140000"), ("keep", "142233.5")])
def test_times_as_declared(times, expected):
    found = header(dicom_file(), times=times)
    assert (str(found.StudyTime) if "StudyTime" in found else None) == expected


@pytest.mark.parametrize(
    ("age", "expected"), [("089Y", "089Y"), ("090Y", "090Y"), ("103Y", "090Y"), ("011M", "011M"), ("old", None)]
)
def test_great_ages_are_capped(age, expected):
    assert header(dicom_file(PatientAge=age)).get("PatientAge") == expected


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED, RLE, JPEG, J2K])
def test_nothing_planted_survives_in_any_transfer_syntax(syntax):
    planted = Planted([])
    pixels = gradient(dtype="uint8", top=250) if syntax == JPEG else gradient()
    data = dicom_file(planted=planted, syntax=syntax, pixels=pixels)
    assert len(planted.strings) >= 48 and (syntax == DEFLATED or Search(planted.strings).numbers(data))
    found = clean(data)
    search = Search(planted.strings)
    assert list(search.places(found.dicom, "dicom")) == []
    assert [p for png in png_frames(found, [0]) for p in search.places(png, "png")] == []
    assert search.numbers(repr(found).encode()) == []
    kept = pydicom.dcmread(io.BytesIO(found.dicom))
    assert not any(element.tag.is_private or element.tag.group >> 8 in {0x50, 0x60} for element in kept.iterall())
    assert kept.file_meta.TransferSyntaxUID == EXPLICIT and kept.preamble == bytes(128)
    if syntax != JPEG:
        np.testing.assert_array_equal(kept.pixel_array, pixels)


def test_words_that_are_not_on_the_list_go():
    found = header(dicom_file(BodyPartExamined="DOE JANE", ViewPosition="MRS", ImageType=["ORIGINAL", "SMITH"]))
    assert not {"BodyPartExamined", "ViewPosition", "ImageType"} & set(found.dir())
    assert "InstanceNumber" not in header(dicom_file(InstanceNumber=12345678))


def test_an_overlay_in_unused_bits_is_gone():
    pixels = gradient()
    found = header(dicom_file(pixels=pixels | 0x8000))
    np.testing.assert_array_equal(found.pixel_array, pixels)
    assert not (np.frombuffer(found.PixelData, "<u2") & 0xF000).any()


def test_monochrome1_is_turned_and_windowed():
    found = clean(dicom_file(PhotometricInterpretation="MONOCHROME1", WindowCenter="1000", WindowWidth="500"))
    png = png_frames(found, [0])[0]
    window = shown_window(found)
    assert image_facts(png).bits == 16 and window.center == 3095 and window.width == 500
    assert decode_image(png, window)[0, 0, 0] == 255


def test_colour_stays_colour():
    pixels = np.stack([gradient(dtype="uint8", top=250)] * 2 + [np.zeros((96, 128), np.uint8)], axis=2)
    found = clean(dicom_file(pixels=pixels))
    np.testing.assert_array_equal(decode_image(png_frames(found, [0])[0]), pixels)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "no DICOM file"),
        (b"Jane Doe" * 100, "no DICOM file"),
        (bytes(128) + b"DICM", "no picture"),
        (dicom_file()[:-9000], "damaged: "),
        (dicom_file(StudyInstanceUID=""), "no study, series or instance number"),
        (dicom_file(Rows=60000, Columns=60000), "too many pixels"),
        (dicom_file(BitsAllocated=32), "pixels of another depth: 32 bits"),
        (dicom_file(PhotometricInterpretation="Jane Doe"), "damaged: "),
        (LOSSLESS, "no decoder: JPEG Lossless"),
    ],
)
def test_what_cannot_be_cleaned_is_held_back_in_fixed_words(data, expected):
    found = reason(data)
    assert found.startswith(expected) and "Doe" not in found


def test_a_file_without_a_picture_is_held_back():
    dataset = pydicom.dcmread(io.BytesIO(dicom_file()))
    del dataset.PixelData
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    assert reason(buffer.getvalue()) == "no picture"


def test_a_deflated_bomb_is_held_back():
    data = dicom_file(syntax=DEFLATED)
    start = data.index(DEFLATED.encode()) + len(DEFLATED)
    packer = zlib.compressobj(wbits=-15)
    bomb = data[:start] + packer.compress(bytes(8 << 20)) + packer.flush()
    assert reason(bomb, limits=Limits(inflated_bytes=1 << 20)) == "too large when inflated"


def test_damage_of_every_kind_never_raises_and_never_quotes():
    data = dicom_file(planted=Planted([]))
    random = np.random.default_rng(3)
    for _ in range(20):
        hurt = bytearray(data)
        for place in random.integers(132, len(data) // 8, 12):
            hurt[place] = random.integers(256)
        found = deidentify(bytes(hurt), Policy(NAMES, NoText()))
        if isinstance(found, HeldBack):
            assert "Q" not in found.reason.partition(":")[2].replace("RequestError", "")


def test_real_files_are_cleaned_or_held_back():
    folder = read_settings().test_data / "dicom_pydicom" / "test_files"
    if not folder.is_dir():
        pytest.skip("the real DICOM files are not here")
    kinds = {"CT_small.dcm": Clean, "MR_small_RLE.dcm": Clean, "MR_truncated.dcm": HeldBack, "rtplan.dcm": HeldBack}
    for name, kind in kinds.items():
        data = (folder / name).read_bytes()
        found = deidentify(data, Policy(NAMES, NoText()))
        assert isinstance(found, kind), (name, found)
        if isinstance(found, Clean):
            person = str(pydicom.dcmread(io.BytesIO(data)).PatientName)
            assert Search([person]).numbers(found.dicom) == []

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")

from osler.core.errors import InputError  # noqa: E402
from osler.core.rng import generator  # noqa: E402
from osler.core.settings import read_settings  # noqa: E402
from osler.media.series import read_series  # noqa: E402
from osler.media.volume import slice_values, to_canonical  # noqa: E402
from scans import instance, write_series  # noqa: E402

STORED = (np.arange(4 * 6 * 8).reshape(4, 6, 8) * 3 + 900).astype(np.int16)
PLACES = [(-6.0, -5.0, 3.0 * k) for k in range(4)]


def test_a_series_is_ordered_by_place_and_is_in_hu(tmp_path):
    shuffled = [2, 0, 3, 1]
    folder = write_series(tmp_path / "s", STORED[shuffled], positions=[PLACES[k] for k in shuffled])
    (folder / ".DS_Store").write_bytes(b"junk")
    (folder / "DICOMDIR").write_bytes(b"junk")
    volume = read_series(folder)
    np.testing.assert_array_equal(volume.voxels, STORED.transpose(2, 1, 0) - 1024)
    assert (volume.modality, volume.units, volume.voxels.dtype) == ("CT", "HU", np.int16)
    assert np.allclose(volume.spacing_mm, (1.5, 2, 3)) and volume.orientation == "LPS"
    assert np.allclose(volume.affine[:3, 3], (6, 5, 0)), "x and y change their sign between DICOM and RAS"
    top = slice_values(to_canonical(volume), "axial", 3)
    np.testing.assert_array_equal(top, STORED[3] - 1024, "an axial slice looks as the scanner stored it")


def test_feet_first_slices_and_a_tilted_gantry_keep_their_place(tmp_path):
    places = [(-6.0, -5.0 + 0.5 * k, -3.0 * k) for k in range(4)]
    volume = read_series(write_series(tmp_path / "s", STORED, positions=places))
    for k, place in enumerate(places):
        lies = volume.affine @ [0, 0, 3 - k, 1]
        assert np.allclose(lies[:3], (-place[0], -place[1], place[2]))
    np.testing.assert_array_equal(volume.voxels[:, :, 0], STORED[3].T - 1024)


def test_coronal_slices_are_seen_from_the_front(tmp_path):
    folder = write_series(
        tmp_path / "s",
        STORED,
        positions=[(0, 4.0 * k, 0) for k in range(4)],
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
        RescaleSlope="0.5",
    )
    volume = to_canonical(read_series(folder))
    assert volume.voxels.dtype == np.float32 and np.allclose(volume.spacing_mm, (1.5, 4, 2))
    np.testing.assert_array_equal(slice_values(volume, "coronal", 3), STORED[0] * np.float32(0.5) - 1024)


def test_one_slice_needs_its_thickness(tmp_path):
    folder = write_series(tmp_path / "s", STORED[:1], positions=PLACES[:1], SliceThickness="5")
    assert np.allclose(read_series(folder).spacing_mm, (1.5, 2, 5))
    with pytest.raises(InputError, match=r"one slice, 0\.dcm, that does not say how thick"):
        read_series(write_series(tmp_path / "t", STORED[:1], positions=PLACES[:1]))


def moved(**by):
    return [(x, y, by.get(f"k{k}", z)) for k, (x, y, z) in enumerate(PLACES)]


@pytest.mark.parametrize(
    ("positions", "changes", "message"),
    [
        (moved(k3=15.0), {}, r"slices missing: 2 between 2\.dcm and 3\.dcm, which lie 9 mm apart and others 3 mm"),
        (moved(k3=10.0), {}, r"uneven distances: 4 mm between 2\.dcm and 3\.dcm, 3 mm elsewhere"),
        (moved(k3=6.0), {}, r"two slices at one place: 2\.dcm and 3\.dcm"),
        (
            PLACES,
            {1: {"SeriesInstanceUID": "1.2.3"}},
            r"2 series in one folder; expected one; got 1\.2\.3 \(1 instances\), ",
        ),
        (PLACES, {1: {"PixelSpacing": [2, 2]}}, "several pixel spacings"),
        (PLACES, {1: {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}}, r"0\.dcm and 1\.dcm are not parallel"),
        (PLACES, {1: {"PhotometricInterpretation": "MONOCHROME1"}}, r"1\.dcm is of another kind.*got MONOCHROME1"),
        (PLACES, {1: {"ImageType": ["ORIGINAL", "PRIMARY", "MOSAIC"]}}, "a mosaic"),
        (PLACES, {1: {"ImagePositionPatient": None}}, r"1\.dcm does not say where it lies"),
    ],
)
def test_a_broken_series_is_named(tmp_path, positions, changes, message):
    folder = write_series(tmp_path / "s", STORED, positions=positions, changes=changes)
    with pytest.raises(InputError, match=message):
        read_series(folder)


def test_other_sizes_and_files_are_named(tmp_path):
    folder = write_series(tmp_path / "s", STORED, positions=PLACES)
    instance(folder / "4.dcm", STORED[0, :5], ImagePositionPatient=[-6, -5, 12])
    with pytest.raises(InputError, match=r"several sizes.*got \[6, 8\] in 0\.dcm, \[5, 8\] in 4\.dcm"):
        read_series(folder)
    (folder / "4.dcm").write_bytes(b"no dicom")
    with pytest.raises(InputError, match=r"4\.dcm is no DICOM file"):
        read_series(folder)
    (folder / "4.dcm").write_bytes((folder / "0.dcm").read_bytes()[:-20])
    with pytest.raises(InputError, match=r"4\.dcm"):
        read_series(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty holds no file"):
        read_series(tmp_path / "empty")


def test_whatever_is_wrong_in_a_file_is_an_input_error(tmp_path):
    random = generator(0, "files")
    folder = write_series(tmp_path / "s", STORED, positions=PLACES)
    good = (folder / "2.dcm").read_bytes()
    refused = 0
    for _ in range(200):
        data = bytearray(good)
        for place in random.integers(132, len(good) - STORED[0].nbytes, 2):
            data[place] = random.integers(256)
        (folder / "2.dcm").write_bytes(data)
        try:
            read_series(folder)
        except InputError:
            refused += 1
    assert 0 < refused < 200


@pytest.mark.parametrize("value", [b" nan  ", b" inf  "])
def test_a_number_that_is_none_is_named(tmp_path, value):
    folder = write_series(tmp_path / "s", STORED, positions=PLACES)
    data = (folder / "1.dcm").read_bytes()
    (folder / "1.dcm").write_bytes(data.replace(b"-1024 ", value))
    with pytest.raises(InputError, match="1.dcm lies nowhere"):
        read_series(folder)


def multi_frame(path, **own):
    def group(k):
        place, values = pydicom.Dataset(), pydicom.Dataset()
        place.ImagePositionPatient = list(PLACES[k])
        values.RescaleSlope, values.RescaleIntercept = str(k + 1), "-1000"
        frame = pydicom.Dataset()
        frame.PlanePositionSequence, frame.PixelValueTransformationSequence = [place], [values]
        return frame

    measures, plane, shared = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
    measures.PixelSpacing = [2.0, 1.5]
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    fields = {
        "SharedFunctionalGroupsSequence": [shared],
        "PerFrameFunctionalGroupsSequence": [group(k) for k in (1, 0, 2, 3)],
        "PixelSpacing": None,
        "ImageOrientationPatient": None,
    }
    return instance(path, STORED[[1, 0, 2, 3]] // 4, **{**fields, **own})


def test_frames_of_one_file_lie_where_each_says(tmp_path):
    volume = read_series(multi_frame(tmp_path / "a.dcm"))
    wanted = np.stack([(STORED[k] // 4).T * (k + 1) - 1000 for k in range(4)], axis=2)
    np.testing.assert_array_equal(volume.voxels, wanted)
    assert np.allclose(volume.spacing_mm, (1.5, 2, 3))
    with pytest.raises(InputError, match="4 frames and does not say where each lies"):
        read_series(multi_frame(tmp_path / "b.dcm", PerFrameFunctionalGroupsSequence=[]))


def real(*names):
    path = read_settings().test_data.joinpath("dicom_pydicom", "test_files", *names)
    if not path.exists():
        pytest.skip(f"no {path}")
    return path


def test_a_real_series_is_read():
    volume = read_series(real("dicomdirtests", "98892001", "CT5N"))
    assert volume.voxels.shape == (16, 16, 5) and volume.units == "HU"
    assert np.allclose(volume.spacing_mm, (0.488281, 0.488281, 2.5))
    lowest = pydicom.dcmread(real("dicomdirtests", "98892001", "CT5N", "3353"))
    np.testing.assert_array_equal(
        volume.voxels[:, :, 0].T, lowest.pixel_array * int(lowest.RescaleSlope) + int(lowest.RescaleIntercept)
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("dicomdirtests", "77654033", "CT2"), "slices missing: 161 between 17106 and 17136"),
        (("dicomdirtests", "98892001", "CT2N"), "6293 and 6924 are not parallel"),
        (("dicomdirtests", "98892003", "MR1"), "3 series in one folder"),
        (("dicomdirtests", "98892003", "MR700"), "not parallel"),
        (
            ("MR_truncated.dcm",),
            "cannot decode the pixels of MR_truncated.dcm: Explicit VR Little Endian: .*fewer|less",
        ),
        (("JPEG-lossy.dcm",), "cannot decode .*JPEG Extended"),
        (("rtplan.dcm",), "holds no picture; got RTPLAN"),
        (("rtdose.dcm",), "15 frames and does not say where each lies"),
        (("examples_palette.dcm",), "got PALETTE COLOR"),
        (("no_meta.dcm",), "no DICOM file"),
    ],
)
def test_real_files_that_are_no_volume_are_named(names, message):
    with pytest.raises(InputError, match=message):
        read_series(real(*names))

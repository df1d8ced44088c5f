import gzip
import sys

import numpy as np
import pytest

nibabel = pytest.importorskip("nibabel")

from osler.core.errors import InputError  # noqa: E402
from osler.core.rng import generator  # noqa: E402
from osler.core.settings import read_settings  # noqa: E402
from osler.media.nifti import read_nifti  # noqa: E402
from osler.media.volume import to_canonical  # noqa: E402
from scans import affine, block, write_nifti  # noqa: E402

GRID = affine(signs=(-1, -1, 1), origin=(11, 9, -20))


@pytest.mark.parametrize(
    ("name", "kind"), [("a.nii", "Nifti1Image"), ("a.nii.gz", "Nifti1Image"), ("b.nii", "Nifti2Image")]
)
def test_voxels_and_their_place_survive_the_file(tmp_path, name, kind):
    volume = read_nifti(write_nifti(tmp_path / name, block(), GRID, kind=kind))
    np.testing.assert_array_equal(volume.voxels, block())
    assert volume.voxels.dtype == np.int16 and volume.voxels.dtype.isnative
    assert np.allclose(volume.affine, GRID) and volume.orientation == "LPS" and volume.units == ""


def test_scale_factors_are_applied(tmp_path):
    image = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4))
    image.header.set_slope_inter(2.0, -1024.0)
    nibabel.save(image, tmp_path / "a.nii")
    stored = np.frombuffer((tmp_path / "a.nii").read_bytes()[352:], "<i2").reshape(2, 3, 4, order="F")
    np.testing.assert_array_equal(read_nifti(tmp_path / "a.nii").voxels, stored * 2.0 - 1024)


def test_lengths_in_metres_become_millimetres(tmp_path):
    grid = np.diag([0.002, 0.002, 0.005, 1])
    assert np.allclose(read_nifti(write_nifti(tmp_path / "a.nii", block(), grid, unit="meter")).spacing_mm, (2, 2, 5))


def test_of_several_volumes_one_is_named(tmp_path):
    voxels = np.stack([block(), block() + 5], axis=3)
    path = write_nifti(tmp_path / "a.nii.gz", voxels, GRID)
    np.testing.assert_array_equal(read_nifti(path, frame=1).voxels, block() + 5)
    with pytest.raises(InputError, match="holds 2 volumes; expected one.*`frame`"):
        read_nifti(path)
    with pytest.raises(InputError, match="no frame 2; it has 0 to 1"):
        read_nifti(path, frame=2)
    assert read_nifti(write_nifti(tmp_path / "one.nii", voxels[..., :1], GRID)).voxels.shape == block().shape


def unplaced(path):
    image = nibabel.Nifti1Image(block(), None)
    nibabel.save(image, path)


def cut(path):
    data = write_nifti(path.with_name("whole.nii.gz"), generator(0, "cut").random((12, 10, 8)), GRID)
    path.write_bytes(data.read_bytes()[:-900])


def damaged(path):
    good = bytearray(write_nifti(path.with_name("good.nii"), block(), GRID).read_bytes())
    good[70:72] = b"\xff\x7f"
    path.write_bytes(gzip.compress(bytes(good)))


def coloured(path):
    write_nifti(path, np.zeros((2, 3, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")]), GRID)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (unplaced, "does not say how its axes lie"),
        (cut, "no readable NIfTI file"),
        (damaged, "no readable NIfTI file"),
        (lambda path: path.write_bytes(b""), "no readable NIfTI file"),
        (lambda path: path.write_bytes(b"\x1f\x8bnonsense"), "no readable NIfTI file"),
        (lambda path: write_nifti(path, np.zeros((3, 4), np.int16), GRID), "not a volume"),
        (coloured, "not real numbers"),
        (lambda path: None, "nothing at that path"),
    ],
)
def test_unreadable_files_are_named(tmp_path, write, message):
    write(tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match=message):
        read_nifti(tmp_path / "a.nii.gz")


def test_whatever_is_wrong_in_a_header_is_an_input_error(tmp_path):
    random = generator(0, "headers")
    good = write_nifti(tmp_path / "good.nii", block(), GRID).read_bytes()
    refused = 0
    for _ in range(300):
        data = bytearray(good)
        for place in random.integers(0, 352, 3):
            data[place] = random.integers(256)
        (tmp_path / "a.nii").write_bytes(data)
        try:
            read_nifti(tmp_path / "a.nii")
        except InputError:
            refused += 1
    assert 0 < refused < 300


def test_without_nibabel_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(InputError, match=r"pip install 'osler\[volume\]'"):
        read_nifti(tmp_path / "a.nii")


def real(name):
    path = read_settings().test_data / "nifti" / "nibabel" / name
    if not path.is_file():
        pytest.skip(f"no {path}")
    return path


@pytest.mark.parametrize(
    ("name", "frame", "shape"),
    [
        ("anatomical.nii", None, (33, 41, 25)),
        ("example4d.nii.gz", 1, (128, 96, 24)),
        ("example_nifti2.nii.gz", 0, (32, 20, 12)),
        ("functional.nii", 19, (17, 21, 3)),
        ("standard.nii.gz", None, (4, 5, 7)),
    ],
)
def test_real_files_turn_as_an_independent_reader_turns_them(name, frame, shape):
    path = real(name)
    volume = to_canonical(read_nifti(path, frame=frame))
    peer = nibabel.as_closest_canonical(nibabel.load(path))
    data = np.asarray(peer.dataobj)
    np.testing.assert_allclose(volume.voxels, data if frame is None else data[..., frame], rtol=1e-6)
    assert np.allclose(volume.affine, peer.affine) and volume.voxels.shape == shape


def test_a_real_file_of_another_kind_is_named():
    with pytest.raises(InputError, match="expected NIfTI-1 or -2; got Cifti2Image"):
        read_nifti(real("row_major.dconn.nii"))

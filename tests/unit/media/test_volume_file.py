import numpy as np
import pytest

pytest.importorskip("nibabel")
pytest.importorskip("pydicom")

from osler.core.errors import InputError
from osler.media.volume_file import load_reader, read_volume, volume_sha256
from scans import affine, block, write_nifti, write_series


def test_both_kinds_are_read_and_turned(tmp_path):
    scan = read_volume(write_nifti(tmp_path / "A.NII.GZ", block(), affine(signs=(-1, 1, -1))))
    np.testing.assert_array_equal(scan.voxels, block()[::-1, :, ::-1])
    places = [(0, 0, 3 * k) for k in range(4)]
    series = write_series(tmp_path / "s", np.arange(96).reshape(4, 4, 6), positions=places)
    assert read_volume(series).orientation == "RAS" and read_volume(series).voxels.shape == (6, 4, 4)
    load_reader(series)
    with pytest.raises(InputError, match=r"no volume b\.nii; expected a \.nii"):
        read_volume(tmp_path / "b.nii")


def test_the_hash_of_a_series_is_that_of_its_instances(tmp_path):
    stored, places = np.arange(96).reshape(4, 4, 6), [(0, 0, 3 * k) for k in range(4)]
    one = write_series(tmp_path / "one" / "s", stored, positions=places)
    same = write_series(tmp_path / "two" / "s", stored, positions=places)
    other = write_series(tmp_path / "three" / "s", stored + 1, positions=places)
    (one / ".DS_Store").write_bytes(b"junk")
    assert volume_sha256(one) == volume_sha256(same) != volume_sha256(other)
    assert volume_sha256(one / "0.dcm") == volume_sha256(same / "0.dcm")

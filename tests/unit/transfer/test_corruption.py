import numpy as np
import pytest

from osler.core.catalog import CORRUPTIONS
from osler.core.errors import InputError
from osler.transfer.corruption import corrupt, fitting
from osler.transfer.fields import centred, lines_scaled, splat

FLAT = np.full((10, 12), 100, np.uint8)


def test_brightness_shifts_every_value_by_its_strength():
    shift = round(CORRUPTIONS.load("brightness").strengths[0] * 255)
    out = corrupt(FLAT, "brightness", 1, seed=0, image_id="a").astype(int)
    assert set(np.unique(np.abs(out - 100))) == {shift}


def test_contrast_keeps_its_share_of_the_distance_from_the_mean():
    pixels = np.array([[50, 150]] * 8, np.uint8).repeat(4, axis=1)
    out = corrupt(pixels, "contrast", 2, seed=0, image_id="a")
    assert sorted(np.unique(out)) == [round(100 - 0.55 * 50), round(100 + 0.55 * 50)]


def test_impulse_noise_turns_its_share_black_or_white():
    out = corrupt(np.full((200, 200), 100, np.uint8), "impulse_noise", 5, seed=0, image_id="a")
    assert set(np.unique(out)) == {0, 100, 255}
    assert np.mean(out != 100) == pytest.approx(0.20, abs=0.02)


def test_under_sampling_keeps_the_mean_of_a_picture():
    out = corrupt(FLAT, "kspace_undersampling", 5, seed=0, image_id="a")
    assert (out == 100).all()


def test_the_mark_of_a_side_is_written_larger_at_higher_severities():
    black = np.full((100, 100), 90, np.uint8)
    changed = [np.mean(corrupt(black, "burned_in_marker", s, seed=0, image_id="a") != 90) for s in (1, 3, 5)]
    assert 0 < changed[0] < changed[1] < changed[2]


@pytest.mark.parametrize(
    ("modality", "name", "fits"),
    [
        ("mri", "bias_field", True),
        ("MRI", "bias_field", True),
        ("x-ray", "bias_field", False),
        ("mammography", "collimation", True),
        ("radiology", "speckle", True),
        ("histopathology", "stain_variation", True),
        ("", "bias_field", False),
        ("", "gaussian_noise", True),
        ("something new", "jpeg", True),
    ],
)
def test_which_corruption_makes_sense_for_which_pictures(modality, name, fits):
    assert (name in fitting(modality)) is fits


def test_every_modality_has_corruptions_of_its_own():
    common = set(fitting(""))
    assert all(set(fitting(modality)) > common for modality in ("x-ray", "ct", "mri", "ultrasound", "oct", "fundus"))


def test_severity_0_and_unknown_corruptions_are_refused():
    with pytest.raises(InputError, match="has no severity 0; expected 1, 2, 3, 4 or 5"):
        corrupt(FLAT, "jpeg", 0, seed=0, image_id="a")
    with pytest.raises(InputError, match="unknown corruption 'jpg'.*Did you mean 'jpeg'"):
        corrupt(FLAT, "jpg", 1, seed=0, image_id="a")


@pytest.mark.parametrize(
    "pixels",
    [FLAT.astype(float), np.zeros((4, 90), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((2, 9, 9, 3), np.uint8)],
)
def test_arrays_that_are_no_pictures_are_refused(pixels):
    with pytest.raises(InputError, match="cannot corrupt this array; expected uint8"):
        corrupt(pixels, "jpeg", 1, seed=0, image_id="a")


def test_a_corruption_kept_outside_this_repository_is_named_by_its_path(tmp_path, monkeypatch):
    source = (
        "from osler.transfer.corruption import Corruption\n"
        "CORRUPTION = Corruption(apply=lambda p, s, r: 1 - p, strengths=(1., 2., 3., 4., 5.), unit='-', kind='common')"
    )
    (tmp_path / "my_lab").mkdir()
    (tmp_path / "my_lab" / "__init__.py").write_text("")
    (tmp_path / "my_lab" / "negative.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert (corrupt(FLAT, "my_lab.negative", 1, seed=0, image_id="a") == 155).all()


def test_a_point_is_split_among_its_neighbours():
    kernel = splat(np.array([[0.25, 0.0], [0.0, -0.5]]))
    middle = kernel.shape[0] // 2
    assert kernel.sum() == pytest.approx(2)
    assert kernel[middle, middle : middle + 2] == pytest.approx([0.75 + 0.5, 0.25])
    assert kernel[middle - 1, middle] == pytest.approx(0.5)


def test_coordinates_are_in_shorter_sides_from_a_point():
    dx, dy = centred(np.zeros((4, 8, 1), np.float32))
    assert dx.ravel() == pytest.approx((np.arange(8) - 3.5) / 4)
    assert dy.ravel() == pytest.approx((np.arange(4) - 1.5) / 4)


def test_all_fourier_lines_kept_are_the_picture_itself():
    pixels = np.random.default_rng(0).random((9, 7, 1), dtype=np.float32)
    assert lines_scaled(pixels, np.ones(9)) == pytest.approx(pixels, abs=1e-6)
    assert lines_scaled(pixels, np.arange(9) == 0) == pytest.approx(
        np.broadcast_to(pixels.mean(0), (9, 7, 1)), abs=1e-6
    )

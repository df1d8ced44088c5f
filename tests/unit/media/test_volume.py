from itertools import permutations, product

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.media.volume import (
    Volume,
    checked_volume,
    same_grid,
    slice_orientation,
    slice_position_mm,
    slice_spacing_mm,
    slice_values,
    to_canonical,
)
from scans import affine

# One bright voxel in the patient's left front upper corner; no two axes are equally long.
SHAPE = (4, 5, 6)
MARK_MM = (-30.0, 40.0, 50.0)
SPACING = (10.0, 20.0, 30.0)


def marked(order, signs) -> Volume:
    """The same scan stored with its voxel axes along `order`, forwards or backwards."""
    shape = tuple(SHAPE[world] for world in order)
    grid = affine([SPACING[world] for world in order], signs=signs, order=order)
    ends = [grid @ [*corner, 1] for corner in product(*((0, size - 1) for size in shape))]
    lowest = np.min(ends, axis=0)
    grid[:3, 3] += np.array([MARK_MM[0], MARK_MM[1] - 4 * SPACING[1], MARK_MM[2] - 5 * SPACING[2]]) - lowest[:3]
    voxels = np.zeros(shape, np.int16)
    place = np.linalg.inv(grid) @ [*MARK_MM, 1]
    voxels[tuple(np.rint(place[:3]).astype(int))] = 1
    return Volume(voxels, grid)


EVERY_WAY = [(order, signs) for order in permutations(range(3)) for signs in product((1, -1), repeat=3)]


@pytest.mark.parametrize(("order", "signs"), EVERY_WAY)
def test_however_it_is_stored_the_left_of_the_patient_is_at_the_right_of_the_picture(order, signs):
    volume = to_canonical(marked(order, signs))
    assert volume.orientation == "RAS" and volume.voxels.shape == SHAPE
    assert np.allclose(volume.spacing_mm, SPACING)
    assert np.argwhere(slice_values(volume, "axial", 5)).tolist() == [[0, 3]], "front at the top, left at the right"
    assert np.argwhere(slice_values(volume, "coronal", 4)).tolist() == [[0, 3]], "head at the top, left at the right"
    assert np.argwhere(slice_values(volume, "sagittal", 0)).tolist() == [[0, 0]], "head at the top, front at the left"


@pytest.mark.parametrize(("order", "signs"), EVERY_WAY)
def test_turning_moves_no_voxel_in_the_patient(order, signs):
    before = marked(order, signs)
    after = to_canonical(before)
    place = after.affine @ [*np.argwhere(after.voxels)[0], 1]
    assert np.allclose(place[:3], MARK_MM)
    assert "".join(sorted(before.orientation.translate(str.maketrans("LPI", "RAS")))) == "ARS"


def test_pictures_know_their_geometry():
    volume = to_canonical(marked((0, 1, 2), (1, 1, 1)))
    assert [slice_orientation(plane) for plane in ("axial", "coronal", "sagittal")] == ["LPS", "LIA", "PIR"]
    assert slice_spacing_mm(volume, "axial") == (20, 10, 30)
    assert slice_spacing_mm(volume, "coronal") == (30, 10, 20)
    assert slice_spacing_mm(volume, "sagittal") == (30, 20, 10)
    corner = slice_position_mm(volume, "axial", 5)
    assert corner == (MARK_MM[0] + 3 * SPACING[0], MARK_MM[1], MARK_MM[2]), "top left is the front right of the patient"


def test_oblique_axes_take_the_nearest_sides():
    turn = np.deg2rad(30)
    grid = np.eye(4)
    grid[:2, :2] = [[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    volume = Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4), grid)
    assert volume.orientation == "LAS"
    assert to_canonical(volume).orientation == "RAS"
    assert np.allclose(to_canonical(volume).affine @ [1, 0, 0, 1], grid @ [0, 0, 0, 1])


def test_grids_are_compared_where_voxels_lie():
    one = marked((0, 1, 2), (1, 1, 1))
    moved = one.affine.copy()
    moved[2, 3] += 0.02
    assert same_grid(one, Volume(one.voxels * 0, one.affine.copy()))
    assert not same_grid(one, Volume(one.voxels, moved))
    assert not same_grid(one, Volume(one.voxels[1:], one.affine))


@pytest.mark.parametrize(
    ("voxels", "grid", "message"),
    [
        (np.zeros((3, 4)), np.eye(4), r"three axes; got shape \[3, 4\]"),
        (np.zeros((3, 0, 2)), np.eye(4), "not a volume"),
        (np.zeros((3, 4, 2), complex), np.eye(4), "not real numbers; got complex128"),
        (np.zeros((3, 4, 2)), np.zeros((4, 4)), "maps voxels to no space"),
        (np.zeros((3, 4, 2)), np.full((4, 4), np.nan), "maps voxels to no space"),
    ],
)
def test_what_is_no_volume_is_refused(voxels, grid, message):
    with pytest.raises(InputError, match=message):
        checked_volume(voxels, grid)

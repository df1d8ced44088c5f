import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.media.image import decode_image, image_facts
from osler.media.slices import CT_WINDOWS, SliceRule, choose_slices, cut_slices
from osler.media.volume import Volume, slice_values
from osler.media.window import apply_window
from osler.schema.media import MediaRef, Window
from scans import affine, block

CT = Volume(block(), affine(), modality="CT", units="HU")
RULE = SliceRule(plane="axial", rule="uniform", window="soft_tissue", count=3)


def cut(volume=CT, rule=RULE, **arguments):
    return cut_slices(volume, rule, path="a.nii", sha256="0" * 64, **arguments)


def shown(image):
    return decode_image(image.png, MediaRef(path="a", bits=16, window=image.window))[..., 0]


def values_of(image):
    return np.asarray(Image.open(io.BytesIO(image.png)))


def test_uniform_slices_go_from_the_first_to_the_last_that_is_not_empty():
    assert choose_slices(CT, RULE) == [1, 4, 6]
    assert choose_slices(CT, replace(RULE, plane="sagittal", count=2)) == [1, 10]
    assert choose_slices(CT, replace(RULE, count=1)) == [3]
    assert choose_slices(CT, replace(RULE, count=50)) == [1, 2, 3, 4, 5, 6], "no slice twice"
    assert choose_slices(CT, replace(RULE, empty_below=-2000, count=2)) == [0, 7]


def test_one_bright_voxel_does_not_fill_a_slice():
    voxels = block()
    voxels[6, 5, 0] = 3000
    assert choose_slices(replace(CT, voxels=voxels), replace(RULE, count=2)) == [1, 6]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({"rule": "centre", "count": 2}, [3, 4]),
        ({"rule": "centre", "count": 3}, [2, 3, 4]),
        ({"rule": "centre", "count": 99}, list(range(8))),
        ({"rule": "every_mm", "every_mm": 10.0}, [1, 3, 5]),
        ({"rule": "every_mm", "every_mm": 12.5}, [1, 4, 6]),
        ({"rule": "every_mm", "every_mm": 0.5}, [1, 2, 3, 4, 5, 6]),
        ({"rule": "indices", "indices": (7, 0, 7)}, [0, 7]),
    ],
)
def test_the_other_rules(rule, wanted):
    assert choose_slices(CT, replace(RULE, **{"count": None, **rule})) == wanted


def test_a_mask_chooses_where_most_of_it_is():
    marks = np.zeros(CT.voxels.shape, np.uint8)
    marks[2:6, 2:6, 2], marks[2:5, 2:5, 5], marks[2, 2, 6], marks[:, :, 1] = 1, 1, 1, 7
    labels = Volume(marks, CT.affine)
    assert choose_slices(CT, replace(RULE, rule="mask", count=2, label=1), labels=labels) == [2, 5]
    assert choose_slices(CT, replace(RULE, rule="mask", count=2), labels=labels) == [1, 2]
    assert choose_slices(CT, replace(RULE, rule="mask", count=9, label=7), labels=labels) == [1]
    with pytest.raises(InputError, match="the label mask is empty of label 3"):
        choose_slices(CT, replace(RULE, rule="mask", label=3), labels=labels)
    with pytest.raises(InputError, match=r"does not lie on the volume's voxels.*\[12, 10, 8\] and \[11, 10, 8\]"):
        choose_slices(CT, replace(RULE, rule="mask"), labels=replace(labels, voxels=marks[1:]))
    with pytest.raises(InputError, match="needs a label mask"):
        choose_slices(CT, replace(RULE, rule="mask"))


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("window", ["lung", "brain", Window(center=100, width=300)])
def test_sixteen_bits_keep_every_value_under_the_window(plane, window):
    image = cut(rule=replace(RULE, plane=plane, window=window, count=1))[0]
    source = slice_values(CT, plane, image.place.index)
    named = CT_WINDOWS[window] if isinstance(window, str) else window
    np.testing.assert_array_equal(shown(image), apply_window(source, named))
    stored = values_of(image).astype(np.int64)
    np.testing.assert_array_equal(stored * image.place.slope + image.place.intercept, source)
    assert image_facts(image.png).bits == 16 and image.place.units == "HU"


def test_eight_bits_hold_what_the_window_shows():
    image = cut(rule=replace(RULE, bits=8))[1]
    assert image.window is None and image_facts(image.png).bits == 8
    np.testing.assert_array_equal(
        decode_image(image.png)[..., 0], apply_window(slice_values(CT, "axial", 4), CT_WINDOWS["soft_tissue"])
    )


def test_percentiles_are_those_of_the_whole_volume():
    mr = Volume(np.arange(1000, dtype=np.float32).reshape(10, 10, 10), np.eye(4), modality="MR")
    images = cut(mr, replace(RULE, window=(10.0, 90.0), rule="indices", indices=(0, 9), count=None))
    low, high = np.percentile(mr.voxels, (10, 90))
    wanted = Window(center=(low + high) / 2, width=high - low)
    for image, index in zip(images, (0, 9), strict=True):
        np.testing.assert_array_equal(shown(image), apply_window(slice_values(mr, "axial", index), wanted))
    with pytest.raises(InputError, match="shows nothing between them"):
        cut(replace(mr, voxels=np.ones((3, 3, 3))), replace(RULE, window=(1.0, 99.0)))


@pytest.mark.parametrize(
    ("low", "high", "dtype"), [(0, 60000, np.int32), (-3e5, 4e5, np.float32), (0.0, 1.0, np.float32)]
)
def test_values_beyond_sixteen_bits_are_spread_over_them(low, high, dtype):
    voxels = np.linspace(low, high, 64).reshape(4, 4, 4).astype(dtype)
    rule = replace(RULE, rule="centre", count=4, window=(0.0, 100.0))
    images = cut(Volume(voxels, np.eye(4)), rule)
    for index, image in enumerate(images):
        stored = values_of(image)
        back = stored * image.place.slope + image.place.intercept
        assert np.abs(back - voxels[::-1, ::-1, index].T).max() <= (high - low) / 65535


def test_whole_numbers_keep_slope_one_and_one_intercept():
    for voxels in (CT.voxels, CT.voxels.astype(np.float64), CT.voxels - 2000):
        place = cut(replace(CT, voxels=voxels))[0].place
        assert (place.slope, place.intercept) == (1.0, -32768.0)


def test_what_is_not_a_number_is_black():
    voxels = CT.voxels.astype(np.float32)
    voxels[5, 5, 4] = np.nan
    for bits in (8, 16):
        image = cut(replace(CT, voxels=voxels), replace(RULE, bits=bits))[1]
        assert shown(replace(image, window=image.window or Window(center=127.5, width=255)))[4, 6] == 0
    with pytest.raises(InputError, match="no finite voxel"):
        cut(replace(CT, voxels=voxels * np.nan))


def test_a_slice_knows_where_it_was():
    place = cut(rule=replace(RULE, plane="coronal", rule="indices", indices=(3,), count=None))[0].place
    assert (place.plane, place.index, place.num_slices, place.orientation) == ("coronal", 3, 10, "LIA")
    assert place.spacing_mm == (5, 2, 2) and place.position_mm == (22, 6, 35)


def test_square_pixels_have_the_finer_spacing_and_the_same_place():
    image = cut(rule=replace(RULE, plane="coronal", rule="indices", indices=(3,), count=None, square_pixels=True))[0]
    assert image_facts(image.png).height == 20 and image_facts(image.png).width == 12
    assert image.place.spacing_mm == (2, 2, 2)
    assert image.place.position_mm == (22, 6, 35 + 1.5), "the upper edge of the picture stays where it was"
    same = cut(rule=replace(RULE, square_pixels=True))[0]
    assert same == cut()[0], "square already"


@pytest.mark.parametrize(
    ("volume", "rule", "message"),
    [
        (replace(CT, modality="MR"), RULE, "'soft_tissue' is in HU and the volume is MR"),
        (replace(CT, voxels=CT.voxels * 0), RULE, "every axial slice is empty"),
        (CT, replace(RULE, rule="indices", indices=(8,)), "no axial slice 8; the volume has 0 to 7"),
    ],
)
def test_what_cannot_be_shown_is_named(volume, rule, message):
    with pytest.raises(InputError, match=message):
        cut(volume, rule)

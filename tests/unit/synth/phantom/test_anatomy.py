import numpy as np
import pytest

from osler.synth.phantom import anatomy as shape
from osler.synth.phantom.anatomy import Plane
from osler.synth.phantom.patient import make_patient

ANATOMY = make_patient(0, 0).anatomy
LINE = (np.arange(200, dtype=np.float32) + 0.5) / 200
AT = Plane(LINE[None, :], LINE[:, None])


def centre_x(distance):
    return float(np.nonzero(distance < 0)[1].mean() / 200)


def test_the_patients_left_lies_on_the_viewers_right():
    assert centre_x(shape.lung(ANATOMY, "left", AT)) > 0.6
    assert centre_x(shape.lung(ANATOMY, "right", AT)) < 0.4


def test_the_heart_reaches_further_to_the_patients_left():
    columns = np.flatnonzero((shape.heart(ANATOMY, 0.5, AT) < 0).any(axis=0)) / 200
    assert columns.max() - ANATOMY.mid > 1.3 * (ANATOMY.mid - columns.min())


@pytest.mark.parametrize("ctr", [0.38, 0.5, 0.62])
def test_the_ratio_measured_on_the_outlines_is_the_one_drawn(ctr):
    lungs = np.minimum(shape.lung(ANATOMY, "left", AT), shape.lung(ANATOMY, "right", AT))
    assert shape.cardiothoracic_ratio(shape.heart(ANATOMY, ctr, AT), lungs) == pytest.approx(ctr, abs=0.003)


def test_a_collapsed_lung_lies_inside_the_lung():
    lung = shape.lung(ANATOMY, "left", AT) < 0
    collapsed = shape.collapsed_lung(ANATOMY, "left", AT, rim=0.3) < 0
    assert 0.3 < collapsed.sum() / lung.sum() < 0.8
    assert (collapsed & ~lung).sum() < 0.01 * lung.sum()


def test_an_effusion_lies_at_the_base_and_is_highest_at_the_wall():
    fluid = shape.effusion(ANATOMY, "right", AT, height=0.2) < 0
    lung = shape.lung(ANATOMY, "right", AT) < 0
    assert fluid.any() and not (fluid & ~lung).any()
    tops = fluid[:, fluid.any(axis=0)].argmax(axis=0)
    assert tops[2] < tops[-1]  # the wall is the first column of the patient's right
    assert np.flatnonzero(fluid.any(axis=1)).min() / 200 > 0.5


def test_zones_are_thirds_of_the_lung():
    assert [ANATOMY.zone(y) for y in (0.1, 0.15, 0.45, 0.7, 0.95)] == ["upper", "upper", "middle", "lower", "lower"]


def test_fill_is_half_at_the_edge():
    np.testing.assert_allclose(shape.fill(np.array([-1.0, 0.0, 0.01, 1.0]), 0.02), [1.0, 0.5, 0.25, 0.0])

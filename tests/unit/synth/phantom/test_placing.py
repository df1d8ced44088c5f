import itertools
import math

import numpy as np

from osler.core.rng import generator
from osler.synth.phantom import anatomy as shape
from osler.synth.phantom.anatomy import Plane
from osler.synth.phantom.lesion import Lesion
from osler.synth.phantom.patient import make_patient
from osler.synth.phantom.placing import place_consolidation, place_nodules

ANATOMY = make_patient(0, 0).anatomy


def at(x, y):
    return Plane(np.full((1, 1), x, np.float32), np.full((1, 1), y, np.float32))


def test_nodules_of_a_patient_do_not_touch(patients):
    for patient in patients:
        for visit in patient.visits:
            nodules = [lesion for lesion in visit.lesions if lesion.kind == "nodule"]
            for a, b in itertools.combinations(nodules, 2):
                assert math.hypot(a.x - b.x, a.y - b.y) > a.size + b.size


def test_nodules_lie_in_the_lung_of_their_side_beside_heart_fluid_and_air(patients):
    for patient in patients:
        for visit in patient.visits:
            others = {lesion.kind: lesion for lesion in visit.lesions}
            for nodule in (lesion for lesion in visit.lesions if lesion.kind == "nodule"):
                here = at(nodule.x, nodule.y)
                assert shape.lung(patient.anatomy, nodule.side, here) < -0.8 * nodule.size
                assert shape.heart(patient.anatomy, visit.ctr, here) > nodule.size
                if (fluid := others.get("effusion")) and fluid.side == nodule.side:
                    distance = shape.effusion(patient.anatomy, fluid.side, here, height=fluid.size)
                    assert distance > 0.8 * nodule.size
                if (air := others.get("pneumothorax")) and air.side == nodule.side:
                    assert shape.collapsed_lung(patient.anatomy, air.side, here, rim=air.size) < -0.8 * nodule.size


def test_no_centre_lies_on_a_seam_between_zones(histories, patients):
    for patient in patients:
        for lesion in (x for visit in patient.visits for x in visit.lesions if x.kind in {"nodule", "consolidation"}):
            third = 3 * patient.anatomy.depth(lesion.y)
            assert min(abs(third - 1), abs(third - 2)) > 0.07


def test_a_full_lung_sends_its_nodules_to_the_other():
    blocked = [Lesion("consolidation", "left", 0.7, y, 0.2) for y in (0.2, 0.45, 0.7)]
    places = place_nodules(generator(0), ANATOMY, [("left", 0.04)] * 4, blocked=blocked, widest_ctr=0.6)
    assert [place.side for place in places] == ["right"] * 4


def test_a_consolidation_is_placed_even_where_little_is_free():
    blocked = [Lesion("effusion", "left", size=0.24), Lesion("pneumothorax", "left", size=0.38)]
    place = place_consolidation(generator(0), ANATOMY, "left", blocked=blocked, widest_ctr=0.62)
    assert place.side == "left"
    assert shape.collapsed_lung(ANATOMY, "left", at(place.x, place.y), rim=0.38) < 0

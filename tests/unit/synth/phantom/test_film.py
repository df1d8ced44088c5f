import numpy as np
import pytest

from osler.synth.phantom.film import draw_film, planned_study
from osler.synth.phantom.patient import make_patient
from osler.synth.phantom.truth import CTR_THRESHOLD, FINDINGS, LABELS

MASK_OF = {"cardiomegaly": "heart"}


def marked(film, label):
    return (film.mask >> LABELS.index(label)) & 1 == 1


def dilated(inside, steps):
    """`inside` grown by `steps` pixels."""
    for _ in range(steps):
        padded = np.pad(inside, 1)
        inside = padded[1:-1, 1:-1] | padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
    return inside


def pixel_box(film, box):
    height, width = film.mask.shape
    return round(box[0] * width), round(box[1] * height), round(box[2] * width), round(box[3] * height)


def test_a_film_is_a_pure_function_of_seed_and_visit():
    patient = make_patient(5, 2)
    first, again = (draw_film(5, patient, patient.visits[0], image_px=64) for _ in range(2))
    np.testing.assert_array_equal(first.pixels, again.pixels)
    np.testing.assert_array_equal(first.mask, again.mask)
    assert first.study == again.study
    assert (draw_film(6, patient, patient.visits[0], image_px=64).pixels != first.pixels).any()


@pytest.mark.parametrize("image_px", [48, 128])
def test_pixels_are_12_bits_and_fill_the_window(image_px):
    patient = make_patient(5, 2)
    film = draw_film(5, patient, patient.visits[0], image_px=image_px)
    assert film.pixels.shape == film.mask.shape == (image_px, image_px)
    assert film.pixels.dtype == np.uint16 and film.mask.dtype == np.uint8
    assert film.pixels.max() <= 4095
    low, high = film.window.center - film.window.width / 2, film.window.center + film.window.width / 2
    assert np.percentile(film.pixels, 10) == pytest.approx(low, abs=60)
    assert 0.6 * high < np.percentile(film.pixels, 95) <= high


def test_what_is_present_is_what_is_marked(drawn):
    for _, _, film in drawn:
        for kind in FINDINGS:
            if kind != "cardiomegaly":
                assert marked(film, kind).any() == film.study.has(kind), (film.study.id, kind)


def test_the_drawn_truth_is_the_planned_one_with_boxes(drawn):
    for patient, visit, film in drawn:
        planned = planned_study(patient, visit)
        assert film.study.present == planned.present
        assert [f.side for f in film.study.findings] == [f.side for f in planned.findings]
        assert film.study.ctr == pytest.approx(planned.ctr, abs=0.005)


def test_boxes_hold_the_masks_exactly(drawn):
    for _, _, film in drawn:
        for kind in set(film.study.present):
            covered = np.zeros_like(film.mask, dtype=bool)
            for finding in film.study.of(kind):
                x0, y0, x1, y1 = pixel_box(film, finding.box)
                assert x0 < x1 and y0 < y1
                covered[y0:y1, x0:x1] = True
                assert marked(film, MASK_OF.get(kind, kind))[y0:y1, x0:x1].any()
            assert not (marked(film, MASK_OF.get(kind, kind)) & ~covered).any()


@pytest.mark.parametrize("kind", ["nodule", "effusion", "pneumothorax", "consolidation"])
def test_sides_are_those_of_the_pixels(drawn, kind):
    films = [film for _, _, film in drawn if film.study.side(kind)]
    assert films
    for film in films:
        columns = np.nonzero(marked(film, kind))[1] / film.mask.shape[1]
        assert (columns.mean() > 0.5) == (film.study.side(kind) == "left")
        lung = marked(film, f"{film.study.side(kind)}_lung")
        assert (marked(film, kind) & lung).sum() >= 0.95 * marked(film, kind).sum()


@pytest.mark.parametrize(
    ("kind", "brighter"), [("nodule", True), ("consolidation", True), ("effusion", True), ("pneumothorax", False)]
)
def test_findings_stand_out_from_the_lung_around_them(drawn, kind, brighter):
    films = [film for _, _, film in drawn if film.study.has(kind)]
    contrasts = []
    for film in films:
        inside = marked(film, kind)
        lungs = marked(film, "left_lung") | marked(film, "right_lung")
        findings = np.logical_or.reduce([marked(film, k) for k in ("nodule", "effusion", "pneumothorax", "device")])
        around = dilated(inside, 6) & lungs & ~dilated(inside, 2) & ~findings & ~marked(film, "consolidation")
        if around.sum() >= 10:
            contrasts.append((film.pixels[inside].mean() - film.pixels[around].mean()) / film.window.width)
    assert len(contrasts) > 0.9 * len(films)
    signed = np.array(contrasts) if brighter else -np.array(contrasts)
    assert signed.min() > 0.06 and np.median(signed) > 0.12


def test_devices_are_the_brightest(drawn):
    for _, _, film in drawn:
        if film.study.has("device"):
            device = film.pixels[marked(film, "device")]
            assert np.median(device) > np.percentile(film.pixels, 93)


def test_the_stated_ratio_is_that_of_the_masks(drawn):
    for _, _, film in drawn:
        heart = np.flatnonzero(marked(film, "heart").any(axis=0))
        lungs = np.flatnonzero((marked(film, "left_lung") | marked(film, "right_lung")).any(axis=0))
        ratio = (heart[-1] - heart[0] + 1) / (lungs[-1] - lungs[0] + 1)
        assert film.study.ctr == pytest.approx(ratio, abs=0.03)
        assert film.study.has("cardiomegaly") == (film.study.ctr > CTR_THRESHOLD)
        assert abs(film.study.ctr - CTR_THRESHOLD) > 0.02


def test_the_marker_stands_in_the_corner_of_its_side(drawn):
    for _, visit, film in drawn:
        corner = film.pixels[:12, :12] if visit.marker == "right" else film.pixels[:12, -12:]
        other = film.pixels[:12, -12:] if visit.marker == "right" else film.pixels[:12, :12]
        assert np.percentile(corner, 95) > np.percentile(other, 95) + 1000


@pytest.mark.parametrize("kind", FINDINGS)
def test_every_finding_is_seen_on_the_smallest_film(kind):
    for number in range(30):
        patient = make_patient(9, number)
        film = draw_film(9, patient, patient.visits[-1], image_px=48)
        if film.study.has(kind):
            assert marked(film, MASK_OF.get(kind, kind)).sum() >= 5

"""What a DICOM header makes of stored values. The judge is DCMTK (tests/e2e/test_studies_dcmtk.py); here, the rules."""

import io

import numpy as np
import pydicom
import pytest

from osler.media.deid_pixels import Picture
from osler.media.presentation import (
    Presentation,
    Table,
    num_overlays,
    presentations_of,
    shown_frames,
    window_levels,
    write_tables,
)
from osler.schema.media import Window

VALUES = np.array([[0, 100, 200, 300, 400]], np.int16)


def picture(values=VALUES, *, inverted=False) -> Picture:
    return Picture(values[None], 16, inverted)


def shown(presentation, values=VALUES, *, inverted=False, **options):
    return shown_frames(picture(values, inverted=inverted), (presentation,), [0], **options)[0].tolist()[0]


def header(**elements) -> pydicom.Dataset:
    dataset = pydicom.Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def table(first, values, bits, keyword="VOILUTSequence"):
    item = pydicom.Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [len(values) % 65536, first, bits])
    item.add_new(0x00283006, "OW", np.array(values, "<u2").tobytes())
    return {keyword: [item]}


def test_a_linear_window_counts_whole_values_as_the_standard_does():
    values = np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0])
    levels = window_levels(values, Window(center=2, width=4), "LINEAR")
    np.testing.assert_allclose(levels, [0, 0, 1 / 3, 2 / 3, 1, 1], atol=1e-12)
    assert window_levels(values, Window(center=2, width=1), "LINEAR").tolist() == [0, 0, 0, 1, 1, 1]
    exact = window_levels(values, Window(center=2, width=4), "LINEAR_EXACT")
    np.testing.assert_allclose(exact, [0, 0, 0.25, 0.5, 0.75, 1])
    assert (window_levels(values, Window(center=2, width=0.5), "LINEAR") == [0, 0, 0, 0.5, 1, 1]).all()


def test_a_sigmoid_window_is_half_at_its_center():
    levels = window_levels(np.array([-1e9, 40.0, 80.0, 1e9]), Window(center=40, width=80), "SIGMOID")
    np.testing.assert_allclose(levels, [0, 0.5, 1 / (1 + np.exp(-2)), 1], atol=1e-12)


def test_the_first_of_several_windows_is_used_and_another_where_it_is_asked_for():
    found = presentations_of(header(WindowCenter=[100, 300], WindowWidth=[200, 201], RescaleSlope=1))[0]
    assert found.windows == (Window(center=100, width=200), Window(center=300, width=201))
    assert shown(found)[2:] == [255, 255, 255]
    assert shown(found, which=1) == [0, 0, 1, 128, 255]
    assert shown(found, which=9) == shown(found, which=1)
    assert shown(found, window=Window(center=200, width=400)) == [0, 64, 128, 191, 255]


def test_rescale_comes_before_the_window():
    found = presentations_of(header(RescaleSlope=2, RescaleIntercept=-100, WindowCenter=300.5, WindowWidth=801))[0]
    assert shown(found) == [0, 64, 128, 191, 255]


def test_without_a_window_the_least_value_is_black_and_the_largest_white():
    assert shown(Presentation()) == [0, 64, 128, 191, 255]
    assert shown(Presentation(), np.full((1, 3), 7, np.uint16)) == [0, 0, 0]


def test_monochrome1_is_turned_over():
    assert shown(Presentation(), inverted=True) == [255, 191, 127, 64, 0]


def test_negative_and_unsigned_values_have_their_own_places():
    assert shown(Presentation(), np.array([[-32768, 0, 32767]], np.int16)) == [0, 128, 255]
    assert shown(Presentation(), np.array([[0, 65535]], np.uint16)) == [0, 255]
    assert shown(Presentation(), np.array([[-128, 127]], np.int8)) == [0, 255]


def test_a_voi_table_comes_before_windows_and_its_ends_hold():
    found = presentations_of(header(WindowCenter=1, WindowWidth=1, **table(100, range(0, 4096, 16), 12)))[0]
    assert shown(found) == [0, 0, 100, 199, 254]
    signed = presentations_of(header(**table(-2, [0, 255], 8)))[0]
    assert shown(signed, np.array([[-9, -2, -1, 9]], np.int16)) == [0, 0, 255, 255]


def test_a_modality_table_takes_the_place_of_rescale():
    found = presentations_of(header(**table(0, range(400, -1, -1), 16, "ModalityLUTSequence")))[0]
    assert shown(found) == [255, 191, 128, 64, 0]


def test_tables_survive_in_a_clean_header_without_their_words():
    dataset = header(**table(-5, range(300), 12), **table(7, range(65536), 16, "ModalityLUTSequence"))
    dataset.VOILUTSequence[0].LUTExplanation = "JANE DOE"
    found = presentations_of(dataset)[0]
    clean = header(PixelRepresentation=1, SOPClassUID="1.2", SOPInstanceUID="1.2")
    write_tables(clean, found)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, clean, implicit_vr=False, little_endian=True)
    assert b"JANE" not in buffer.getvalue()
    buffer.seek(0)
    again = presentations_of(pydicom.dcmread(buffer, force=True))[0]
    for one, two in ((found.voi, again.voi), (found.modality, again.modality)):
        assert isinstance(one, Table) and isinstance(two, Table)
        assert (one.first, one.bits) == (two.first, two.bits) and (one.values == two.values).all()


def test_functional_groups_say_how_each_frame_is_shown():
    def group(center, slope):
        voi, scale = header(WindowCenter=center, WindowWidth=100), header(RescaleSlope=slope, RescaleIntercept=0)
        return header(FrameVOILUTSequence=[voi], PixelValueTransformationSequence=[scale])

    dataset = header(PerFrameFunctionalGroupsSequence=[group(50, 1), group(90, 2)])
    first, second = presentations_of(dataset)
    assert (first.windows[0].center, first.modality) == (50, (1.0, 0.0))
    assert (second.windows[0].center, second.modality) == (90, (2.0, 0.0))
    shared = header(SharedFunctionalGroupsSequence=[group(7, 3)], PerFrameFunctionalGroupsSequence=[header(), header()])
    assert [one.windows[0].center for one in presentations_of(shared)] == [7, 7]


@pytest.mark.parametrize(
    "elements",
    [
        {"RescaleSlope": 0},
        table(0, [1, 2], 40),
        {"VOILUTSequence": [header(LUTDescriptor=[100, 0, 8], LUTData=[1, 2])]},
    ],
)
def test_numbers_without_sense_are_refused(elements):
    with pytest.raises(ValueError):
        presentations_of(header(**elements))


def test_windows_without_sense_are_none():
    assert presentations_of(header(WindowCenter=[1, 2], WindowWidth=[0, -3]))[0].windows == ()
    assert presentations_of(header(WindowCenter="", WindowWidth=""))[0].windows == ()


def test_overlay_planes_are_counted():
    dataset = header()
    assert num_overlays(dataset) == 0
    dataset.add_new((0x6002, 0x3000), "OW", b"\0\0")
    assert num_overlays(dataset) == 1

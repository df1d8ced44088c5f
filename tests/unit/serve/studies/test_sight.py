"""Which frames of an upload are shown."""

import pydicom
import pytest

from osler.media.deid import spread
from osler.serve.studies.sight import series_of, share_out


def header(study="1.1", series="1.2", **elements):
    dataset = pydicom.Dataset()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def slices(heights, **elements):
    along = [1, 0, 0, 0, 1, 0]
    return [
        (n, header(ImagePositionPatient=[0, 0, z], ImageOrientationPatient=along, InstanceNumber=n, **elements))
        for n, z in enumerate(heights)
    ]


def test_slices_lie_in_order_of_their_place_not_of_their_arrival():
    (series,) = series_of(slices([30, 10, 20]))
    assert series.parts == [1, 2, 0]


def test_without_places_the_number_of_the_instance_decides():
    (series,) = series_of([(n, header(InstanceNumber=number)) for n, number in enumerate([3, 1, 2])])
    assert series.parts == [1, 2, 0]
    (series,) = series_of([*slices([5, 1]), (2, header(InstanceNumber=-1))])
    assert series.parts[0] == 2


def test_the_middles_of_equal_parts_are_chosen():
    assert spread(100, 4) == [12, 37, 62, 87]
    assert spread(3, 8) == [0, 1, 2] and spread(5, 1) == [2] and spread(0, 3) == [] and spread(5, 0) == []


def test_pictures_are_divided_among_series():
    scout = slices([1, 2], series="1.9", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    long = slices(range(20), series="1.5")
    series = series_of(scout + [(n + 2, one) for n, one in long])
    assert [one.uid for one in series] == ["1.5", "1.9"]
    share_out(series, 7)
    assert [sum(map(len, one.wanted)) for one in series] == [5, 2]
    share_out(series, 1)
    assert [sum(map(len, one.wanted)) for one in series] == [1, 0]
    share_out(series, 99)
    assert [sum(map(len, one.wanted)) for one in series] == [20, 2]


def test_frames_of_several_clips_are_numbered_within_each():
    series = series_of(
        [(0, header(NumberOfFrames=10, InstanceNumber=1)), (1, header(NumberOfFrames=2, InstanceNumber=2))]
    )
    share_out(series, 3)
    assert series[0].wanted == [(2, 6), (0,)] and series[0].num_frames == 12


def test_the_latest_study_comes_first():
    found = series_of([(0, header("1.1", StudyDate="20190101")), (1, header("1.3", StudyDate="20200101"))])
    assert [one.study for one in found] == ["1.3", "1.1"]


@pytest.mark.parametrize("orientation", [[], [1, 0], ["x"] * 6])
def test_a_place_without_sense_is_none(orientation):
    dataset = header(InstanceNumber=2)
    dataset.ImagePositionPatient = [0, 0, 1]
    dataset.add_new("ImageOrientationPatient", "LO" if orientation == ["x"] * 6 else "DS", orientation)
    assert series_of([(0, dataset)])[0].parts == [0]

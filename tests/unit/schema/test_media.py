import pytest
from pydantic import ValidationError

from osler.schema.media import MaskRef, MediaRef, VolumeSlice, Window


def test_a_reference_survives_json():
    ref = MediaRef(
        path="a.png",
        width=8,
        height=9,
        bits=12,
        window=Window(center=2048, width=4096),
        mask=MaskRef(path="m", labels=("heart",)),
    )
    assert MediaRef.model_validate_json(ref.model_dump_json()) == ref


PLACE = VolumeSlice(
    path="a.nii.gz",
    sha256="0" * 64,
    plane="axial",
    index=3,
    num_slices=9,
    spacing_mm=(1, 1, 5),
    orientation="LPS",
    position_mm=(90, 90, -20.5),
)


def test_a_slice_keeps_its_place_and_other_images_are_written_as_before():
    ref = MediaRef(path="a.png", volume_slice=PLACE)
    assert MediaRef.model_validate_json(ref.model_dump_json(exclude_defaults=True)) == ref
    assert {ref: 1}[MediaRef(path="a.png", volume_slice=PLACE)] == 1, "references are keys of mappings"
    assert MediaRef(path="a.png").model_dump_json(exclude_defaults=True) == '{"path":"a.png"}'
    assert MediaRef.model_validate_json('{"path":"a.png","bits":8}').volume_slice is None


@pytest.mark.parametrize("change", [{"width": 0}, {"kind": "film"}, {"patient": "x"}])
def test_impossible_references_are_refused(change):
    with pytest.raises(ValidationError):
        MediaRef(**{"path": "a.png", **change})

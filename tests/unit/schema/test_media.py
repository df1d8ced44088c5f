import pytest
from pydantic import ValidationError

from osler.schema.media import MaskRef, MediaRef, Window


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


@pytest.mark.parametrize("change", [{"width": 0}, {"kind": "film"}, {"patient": "x"}])
def test_impossible_references_are_refused(change):
    with pytest.raises(ValidationError):
        MediaRef(**{"path": "a.png", **change})

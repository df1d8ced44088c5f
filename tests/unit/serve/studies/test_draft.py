"""Drafts, and as text."""

import pytest

from osler.core.errors import InputError
from osler.serve.studies.draft import NOT_VERIFIED, Draft, as_text
from studies_draft import DRAFT, MADE


def test_the_text_begins_and_ends_with_the_mark():
    text = as_text(DRAFT, MADE)
    assert text.startswith(NOT_VERIFIED) and text.rstrip().endswith(NOT_VERIFIED)
    assert "\nFINDINGS\nHeart <normal> & lungs clear.\nÜ\n" in text and "\nIMPRESSION\nNo effusion.\n" in text
    assert "\x0b" not in text and "IMPRESSION" not in as_text(DRAFT.model_copy(update={"impression": " "}), MADE)


@pytest.mark.parametrize(
    "change",
    [
        {"study_uid": "1.2.x"}, {"study_uid": "1." + "2" * 64}, {"study_uid": "1.02"}, {"seen": ()}, {"model": ""},
        {"model": "a\nb"}, {"patient": {"id": ""}}, {"patient": {"id": "a", "sex": "X"}}, {"accession": "1\\2"},
        {"study_date": "20261301"}, {"language": "english"}, {"findings": "x" * 50_001}, {"verified": True},
        {"bundle_sha256": "zz"},
    ],
)  # fmt: skip
def test_a_draft_of_another_form_is_refused(change):
    with pytest.raises(InputError):
        Draft.parse({**DRAFT.model_dump(mode="json"), **change})

import numpy as np
import pytest

from osler.core.files import sha256_bytes
from osler.media.image import decode_image, image_facts
from osler.synth.phantom.patient import make_patient
from osler.synth.phantom.records import patient_films, patient_records
from osler.synth.phantom.truth import LABELS


@pytest.fixture(scope="module")
def patient():
    return next(p for p in (make_patient(3, n) for n in range(100)) if len(p.visits) == 3)


@pytest.fixture(scope="module")
def films(patient):
    return patient_films(3, patient, image_px=64)


@pytest.fixture(scope="module")
def records(films):
    return {record.key: record for record in patient_records(3, films, split="train")}


def test_there_is_a_record_a_film_and_one_a_pair(records, patient):
    singles = [key for key in records if key.count("-") == 1]
    pairs = [key for key in records if key.count("-") == 2]
    assert singles == [f"{patient.id}-{n}" for n in (1, 2, 3)]
    assert set(pairs) <= {f"{patient.id}-1-2", f"{patient.id}-2-3"} and pairs


def test_samples_carry_what_the_store_selects_by(records, patient):
    ids = [sample.id for record in records.values() for sample in record.samples]
    assert len(set(ids)) == len(ids)
    for record in records.values():
        for sample in record.samples:
            assert sample.group == patient.id and sample.split == "train"
            assert (sample.modality, sample.body_part) == ("x-ray", "chest")
            assert sample.provenance.dataset == "phantom" and sample.provenance.licence == "CC0-1.0"
            assert sample.provenance.record_id == record.key


def test_pictures_keep_their_12_bits_and_masks_their_labels(records, films):
    for film in films:
        record = records[film.study.id]
        (ref,) = record.samples[0].media
        assert (ref.path, ref.bits, ref.width, ref.height) == (f"{record.key}.0.png", 12, 64, 64)
        assert ref.window == film.window and ref.view == film.study.view
        assert ref.sha256 == sha256_bytes(record.files[ref.path])
        assert image_facts(record.files[ref.path]).bits == 16
        np.testing.assert_array_equal(decode_image(record.files[ref.mask.path])[..., 0], film.mask)
        assert ref.mask.labels == LABELS


def test_a_comparison_shows_the_prior_film_first(records, films):
    key = next(key for key in records if key.count("-") == 2)
    prior = films[int(key.split("-")[1]) - 1].study
    for sample in records[key].samples:
        assert [ref.time for ref in sample.media] == ["prior", "current"]
        assert records[key].files[f"{key}.0.png"] == records[prior.id].files[f"{prior.id}.0.png"]
        assert {box.image for box in sample.boxes} <= {0, 1}


def test_boxes_are_those_of_the_findings_asked_about(records, films):
    for film in films:
        for sample in records[film.study.id].samples:
            wanted = [(f.kind, *f.box) for kind in sample.tags for f in film.study.of(kind)]
            assert [(b.label, b.x0, b.y0, b.x1, b.y1) for b in sample.boxes] == wanted


def test_no_name_and_no_date_of_birth_gets_into_a_record(records, patient):
    texts = [sample.model_dump_json() for record in records.values() for sample in record.samples]
    for secret in (*patient.name.split("^"), patient.born.isoformat(), patient.born.strftime("%Y%m%d")):
        assert not [text for text in texts if secret in text]


def test_a_share_of_the_pairs_is_compared(films, records):
    none = [record.key for record in patient_records(3, films, split="train", compare_share=0.0)]
    assert none == [key for key in records if key.count("-") == 1]

import json

import pytest
from store_world import record

from osler.core.errors import InputError
from osler.schema.sample import Sample, closed, image, user
from osler.store.record import Blob, StoredSamples, check_key, encode_samples, stored_record


def test_media_are_renamed_and_their_facts_filled_in():
    stored = record(3)
    first, second = stored.samples[0].media
    assert (first.path, first.mask.path, second.path) == ("r0003.0.png", "r0003.0.mask.png", "r0003.1.png")
    assert (first.width, first.height, first.bits, len(first.sha256)) == (8, 6, 16, 64)
    assert second.view == "lateral", "what else the reference says is kept"


def test_samples_of_another_kind_of_reference_to_one_file_share_its_bytes():
    def ask(view):
        return Sample(id=view, turns=(user(image("x", view=view), "?"),), answer=closed("no"))

    stored = stored_record("k", [ask("PA"), ask("AP")], {"x": Blob(b"1", "jpg", 2, 2)})
    assert list(stored.files) == ["k.0.jpg"] and [s.media[0].view for s in stored.samples] == ["PA", "AP"]


def test_a_text_record_has_no_files():
    sample = Sample(id="t", turns=(user("Why?"),), answer=closed("no"))
    assert stored_record("k", [sample], {}).files == {}


def test_json_leaves_out_defaults_and_reads_back():
    samples = record(1).samples
    data = encode_samples(samples)
    assert StoredSamples.model_validate_json(data).samples == samples
    assert json.loads(data)["samples"][0]["answer"] == {"kind": "closed", "text": "yes", "labels": ["yes", "no"]}


@pytest.mark.parametrize("key", ["", "a.b", "a/b", "x" * 81, "ä"])
def test_keys_that_readers_would_split_are_refused(key):
    with pytest.raises(InputError, match="expected 1 to 80 letters"):
        check_key(key)

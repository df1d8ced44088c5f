import numpy as np
import pytest
from PIL import Image

from films import film, saved
from osler.core.errors import InputError
from osler.curate.duplicates.evaluation_index import build_index, leaking_words, load_index, save_index
from osler.curate.duplicates.hamming import stacked
from osler.media.hashing import dhash256
from osler.media.image import encode_png16
from osler.schema.media import Window
from osler.schema.sample import Provenance, Sample, closed, image, passage, user

NUM = 5


def sample(number: int, *, answer=None, **media) -> Sample:
    return Sample(
        id=f"toy/test/{number}",
        turns=(user(image(f"{number}.png", **media), "Is there an effusion?"),),
        answer=answer or closed("no"),
        group=f"g{number}",
        provenance=Provenance(dataset="toy", record_id=str(number), licence="CC0-1.0"),
    )


@pytest.fixture(scope="module")
def index():
    return build_index((sample(number), [saved(film(number))]) for number in range(NUM))


def matches(index, files):
    codes = stacked([dhash256(data) for data in files])
    return [(m.row, m.image, m.rule, m.is_doubtful) for m in index.by_image(codes, lambda row: (files[row], None))]


def test_changed_copies_are_found_and_other_patients_are_not(index):
    turned = np.asarray(Image.fromarray(film(1)).rotate(3, Image.Resampling.BICUBIC))
    files = [
        saved(film(0), "BMP"),
        saved(turned, "JPEG"),
        saved(film(2)[:, ::-1].copy(), "JPEG"),
        saved(film(3)[38:, 38:].copy(), "JPEG", quality=60),
        *(saved(film(number)) for number in range(20, 23)),
    ]
    assert matches(index, files) == [
        (0, 0, "same_pixels", False),
        (1, 1, "copy_of_image", False),
        (2, 2, "copy_of_image", False),
        (3, 3, "copy_of_image", False),
    ]


def test_a_set_of_look_alikes_needs_a_greater_likeness(index):
    assert 0.8 < index.images[0].needed <= 0.97
    assert build_index([(sample(0), [saved(film(0))])]).images[0].needed == 0.8


def test_items_know_their_images_sources_and_words(index):
    assert index.by_file("no such file") is None
    assert index.item_numbers(3) == [3]
    assert index.by_source(sample(4)) == [(4, "group", "group:g4"), (4, "id", "id:toy/test/4")]
    assert index.by_words("Is there an effusion? Is there an effusion? no no no no") == []


def test_questions_about_images_do_not_leak_and_reports_do():
    report = "The heart is enlarged and both lungs show signs of congestion."
    with_image = sample(0, answer=passage(report))
    assert leaking_words(with_image) == report
    alone = with_image.model_copy(update={"turns": (user("Which drug lowers blood pressure?"),)})
    assert leaking_words(alone).startswith("Which drug")
    index = build_index([(with_image, [None])])
    assert [(m.owner, m.rule) for m in index.by_words(f"FINDINGS: {report}")] == [
        (0, "run_of_8_words"),
        (0, "same_words"),
    ]


def test_missing_and_broken_images_are_named():
    torn = saved(film(0))[:500]
    index = build_index([(sample(0), [None]), (sample(1), [torn]), (sample(2), [b""]), (sample(3), [saved(film(3))])])
    assert index.unreadable == ["toy/test/0", "toy/test/1", "toy/test/2"]
    assert [item.images for item in index.items] == [(), (), (), (0,)]
    assert matches(index, [saved(film(3))]) == [(0, 0, "same_pixels", False)]


def test_an_index_without_images_or_items_matches_nothing():
    empty = build_index([])
    assert matches(empty, [saved(film(0))]) == [] and empty.by_words("one two three " * 9) == []


def test_deep_films_match_their_8_bit_print():
    deep = film(6).astype(np.uint16) * 8 + 500
    window = Window(center=500 + 8 * 127.5, width=8 * 255)
    index = build_index([(sample(0, bits=16, window=window), [encode_png16(deep)])])
    assert [row[2] for row in matches(index, [saved(film(6), "JPEG")])] == ["copy_of_image"]


def test_it_is_read_again_as_it_was(index, tmp_path):
    save_index(tmp_path, index)
    again = load_index(tmp_path)
    assert again.items == index.items and [i.needed for i in again.images] == [i.needed for i in index.images]
    files = [saved(film(4), "JPEG", quality=50), saved(film(30))]
    assert matches(again, files) == matches(index, files) == [(0, 4, "copy_of_image", False)]
    before = [(tmp_path / name).read_bytes() for name in ("items.parquet", "images.parquet")]
    save_index(tmp_path, again)
    assert before == [(tmp_path / name).read_bytes() for name in ("items.parquet", "images.parquet")]


def test_what_is_no_index_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"items\.parquet"):
        load_index(tmp_path)
    (tmp_path / "items.parquet").write_bytes(b"text")
    (tmp_path / "images.parquet").write_bytes(b"text")
    with pytest.raises(InputError, match="no part of an evaluation index"):
        load_index(tmp_path)

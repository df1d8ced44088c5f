"""The cache key changes with all that decides an answer, and with nothing else."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from osler.core.catalog import TASKS
from osler.core.errors import InputError
from osler.core.files import sha256_bytes
from osler.evaluation.conditions import make_asks
from osler.evaluation.identity import cache_key, check_images, folder_sha256
from osler.evaluation.items import load_items
from osler.infer.sampling import Sampling
from osler.schema.sample import image, user

MODEL = {"name": "m", "weights": "w"}


@pytest.fixture
def ask(store):
    items = load_items(TASKS.load("phantom_closed"), [store], limit=1)
    return make_asks(items, "image", sampling=Sampling(16), reasoning=False, seed=0)[0]


def test_one_changed_byte_of_an_image_changes_the_key(ask, store):
    data = bytearray(store.media(ask.item.row)[0])
    assert (sha256_bytes(bytes(data)),) == ask.image_sha256s
    data[-20] ^= 1
    row = {**ask.item.row, "media_sha256": [sha256_bytes(bytes(data))]}
    other = replace(ask, shown=replace(ask.item, row=row))
    assert cache_key(other, MODEL) != cache_key(ask, MODEL)


def test_every_deciding_part_changes_the_key(ask):
    ref = ask.turns[0].media[0]
    question = ask.item.sample.question
    others = [
        cache_key(ask, MODEL | {"weights": "v"}),
        cache_key(ask, MODEL | {"name": "n"}),
        cache_key(ask, MODEL | {"revision": "2"}),
        cache_key(replace(ask, sampling=Sampling(17)), MODEL),
        cache_key(replace(ask, sampling=Sampling(16, temperature=0.5)), MODEL),
        cache_key(replace(ask, sampling=Sampling(16, seed=1)), MODEL),
        cache_key(replace(ask, reasoning=True), MODEL),
        cache_key(replace(ask, turns=(user(ref, f"{question}\nAnswer yes or no."),)), MODEL),
        cache_key(replace(ask, turns=(user(question, ref),)), MODEL),
        cache_key(replace(ask, turns=(user(image("a.png", window={"center": 5, "width": 9}), question),)), MODEL),
        cache_key(replace(ask, turns=(user(image("a.png", width=9, height=8), question),)), MODEL),
        cache_key(replace(ask, shown=None), MODEL),
    ]
    assert len({cache_key(ask, MODEL), *others}) == len(others) + 1
    assert cache_key(replace(ask, condition="shuffled"), dict(reversed(MODEL.items()))) == cache_key(ask, MODEL)


def test_a_folders_hash_is_that_of_its_weights_and_template_not_of_its_bookkeeping(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    before = folder_sha256(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / ".lock").write_text("")
    assert folder_sha256(tmp_path) == before
    (tmp_path / "chat_template.jinja").write_text("{{ x }}")
    other = folder_sha256(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"weightz")
    assert len({before, other, folder_sha256(tmp_path)}) == 3


def test_images_are_held_to_the_index_before_anything_is_asked(ask, store):
    reads = []

    def load(source):
        reads.append(source)
        return store.media(source.row)

    check_images([ask, ask], load)
    assert len(reads) == 1
    with pytest.raises(InputError, match="image 0 of item 'test-0-0-q0' is not the one that was stored"):
        check_images([ask], lambda source: (store.media(source.row)[0] + b"!",))
    two = replace(ask, turns=(user(image("a.png"), image("b.png"), "Which?"),))
    with pytest.raises(InputError, match="expected 2, as its words have places for; got 1 stored"):
        check_images([two], load)
    gone = SimpleNamespace(**vars(ask), pictured=ask.pictured, image_sha256s=ask.image_sha256s)
    gone.pictured[0].row["media_offsets"][0] += 1 << 40
    with pytest.raises(InputError, match="ends before byte"):
        check_images([gone], load)

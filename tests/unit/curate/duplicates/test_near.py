import numpy as np
import pytest
from PIL import Image

from films import film, saved
from osler.core.rng import generator
from osler.curate.duplicates.near import Entry, near_duplicates
from osler.media.hashing import border_forms, border_hashes, read_gray

WORDS = ("effusion", "fracture", "nodule", "edema", "catheter", "mass", "scar", "fluid", "air", "bone", "lung", "rib")


def forms_of(data: bytes) -> list[np.ndarray]:
    return border_forms(read_gray(data))


def caption(number: int) -> str:
    return " ".join(generator(1, "caption", number).choice(WORDS, 20))


def world(files: dict[str, bytes], said: list[tuple[str, str]], **more):
    """Entries with one image each, and the reader of their pixels."""
    entries = [
        Entry(f"s{n}", (name,), (border_hashes(files[name]),), (text,), **more) for n, (name, text) in enumerate(said)
    ]
    return entries, lambda name: forms_of(files[name])


def found(entries, content) -> list[tuple[int, int]]:
    return [(repeat.row, repeat.kept) for repeat in near_duplicates(entries, content)]


@pytest.fixture(scope="module")
def originals() -> dict[str, bytes]:
    return {f"{number}.png": saved(film(number)) for number in range(12)}


def test_planted_copies_are_found_and_no_original_is_lost(originals):
    files, said = dict(originals), [(f"{n}.png", caption(n)) for n in range(12)]
    for n in range(5):
        small = np.asarray(Image.fromarray(film(n)).resize((160, 160)))
        files[f"copy{n}.jpg"] = saved(small, "JPEG", quality=30)
        said.append((f"copy{n}.jpg", caption(n).replace(caption(n).split()[0], "other", 1)))
    assert found(*world(files, said)) == [(12 + n, n) for n in range(5)]


def test_a_copy_with_words_of_its_own_is_kept(originals):
    files = {**originals, "copy.jpg": saved(film(0), "JPEG")}
    said = [(f"{n}.png", caption(n)) for n in range(12)] + [("copy.jpg", caption(99))]
    assert found(*world(files, said)) == []


def test_films_of_one_view_with_the_same_words_are_kept(originals):
    """Twelve patients without a finding: one caption, near hashes, and not one copy."""
    entries, content = world(
        originals, [(name, "The lungs are clear and the heart is not enlarged.") for name in originals]
    )
    assert found(entries, content) == []


def test_one_image_asked_the_same_twice_and_another_question():
    files = {"a.png": saved(film(0))}
    said = [
        ("a.png", "Is there an effusion?\nno"),
        ("a.png", "What is seen?\nlungs"),
        ("a.png", "is there an effusion\nNo"),
    ]
    assert found(*world(files, said)) == [(2, 0)]


def test_another_scope_is_another_sample(originals):
    entries, content = world(originals, [("0.png", "the same")])
    other, _ = world(originals, [("0.png", "the same")], scope="test")
    assert found([*entries, *other], content) == []


def test_all_images_of_a_sample_must_be_copies(originals):
    hashes = {name: border_hashes(data) for name, data in originals.items()}

    def entry(id: str, *names: str) -> Entry:
        return Entry(id, names, tuple(hashes[name] for name in names), ("current and prior",))

    entries = [
        entry("a", "0.png", "1.png"),
        entry("b", "0.png", "2.png"),
        entry("c", "0.png"),
        entry("d", "0.png", "1.png"),
    ]
    assert found(entries, lambda name: forms_of(originals[name])) == [(3, 0)]


def test_what_has_no_hash_is_left_alone():
    entries = [
        Entry("a", ("x",), (b"",), ("same",)),
        Entry("b", ("x",), (b"",), ("same",)),
        Entry("c", (), (), ("same",)),
    ]
    assert found(entries, lambda name: pytest.fail("nothing to read")) == []
    assert near_duplicates([], lambda name: pytest.fail("nothing to read")) == []


def test_no_chain_leads_from_one_image_to_another(originals):
    """The second repeats the first, and a third that repeats only the second, which is dropped, is kept."""
    half = np.asarray(Image.fromarray(film(0)).resize((128, 128)))
    files = {"a": originals["0.png"], "b": saved(half, "JPEG", quality=50), "c": saved(half, "JPEG", quality=50)}
    words = caption(0).split()
    texts = (words, ["x", *words[1:]], ["x", *words[1:-6], *"abcdef"])
    said = list(zip("abc", map(" ".join, texts), strict=True))
    assert found(*world(files, said)) == [(1, 0)]
    assert found(*world(files, said[1:])) == [(1, 0)]

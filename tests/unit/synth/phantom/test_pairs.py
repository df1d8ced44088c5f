import numpy as np
import pytest

from osler.core.errors import InputError
from osler.core.files import sha256_file
from osler.core.log import Log
from osler.media.image import decode_image
from osler.store.reader import Store
from osler.synth import run as synth
from osler.synth.phantom.pairs import FACTORS, SUBJECTS, draw_pair

PX = 64
RECIPE = {"generator": "phantom_pairs", "num_pairs": 8, "image_px": 64, "shard_pairs": 5}
EVERY = [(factor, number) for factor in FACTORS for number in range(len(SUBJECTS[factor]))]


@pytest.mark.parametrize(("factor", "number"), EVERY)
def test_the_films_of_a_pair_differ_only_where_the_finding_is(factor, number):
    """Outside of what either mask marks as finding (of air and fluid: as lung), and of its soft edge, all is equal."""
    pair = draw_pair(1, factor, number, image_px=PX)
    first, second = (version.film for version in pair.versions)
    assert first.study.patient_id == second.study.patient_id
    assert (first.pixels != second.pixels).any()
    wide = {"effusion", "pneumothorax"} & set(pair.subject.split("/"))
    marks = np.uint8(0b11111111 if wide else 0b00111111)
    covered = (first.mask | second.mask) & marks != 0
    for _ in range(3):  # edges are soft
        padded = np.pad(covered, 1)
        covered = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:] | covered
    different = (first.pixels != second.pixels) & ~covered
    assert different.mean() < (0.03 if wide else 0.01)
    assert first.window == second.window


@pytest.mark.parametrize(("factor", "number"), EVERY)
def test_the_truth_of_a_pair_is_that_of_its_captions(factor, number):
    pair = draw_pair(2, factor, number, image_px=PX)
    (first, second), kinds = pair.versions, pair.subject.split("/")
    one, other = first.film.study, second.film.study
    assert first.caption != second.caption
    if factor == "side":
        assert (one.side(kinds[0]), other.side(kinds[0])) == ("left", "right") == (first.value, second.value)
        assert first.caption.replace("left", "right") == second.caption
        assert one.of(kinds[0])[0].zone == other.of(kinds[0])[0].zone
    elif factor == "negation":
        assert (one.has(kinds[0]), other.has(kinds[0])) == (True, False)
        assert any(word in second.caption for word in ("without", " no "))
    elif factor == "count":
        assert one.num_nodules + 1 == other.num_nodules
        assert (first.value, second.value) == (str(one.num_nodules), str(other.num_nodules))
    else:
        shown = [
            {finding.grade or finding.kind for finding in study.findings} | set(study.present) for study in (one, other)
        ]
        assert kinds[0] in shown[0] - shown[1]
        assert kinds[1] in shown[1] - shown[0]
    rest = [set(study.present) - {*kinds, "device"} for study in (one, other)]
    assert rest[0] == rest[1]


def test_a_pair_is_a_pure_function_of_its_number():
    first, again, other = (draw_pair(3, "count", number, image_px=PX) for number in (4, 4, 5))
    assert first.versions[0].caption == again.versions[0].caption
    assert (first.versions[1].film.pixels == again.versions[1].film.pixels).all()
    assert not (first.versions[1].film.pixels == other.versions[1].film.pixels).all()


def test_counts_reach_from_one_to_four():
    values = {v.value for number in range(12) for v in draw_pair(0, "count", number, image_px=48).versions}
    assert values == {"1", "2", "3", "4"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("pairs")
    outcome = synth.run(synth.parse(RECIPE), out, device="cpu", log=Log(quiet=True))
    return out, outcome


def test_a_store_of_pairs_asks_for_the_caption_that_fits(world):
    out, outcome = world
    store = Store(out)
    assert outcome.counts == {"pairs": 32, "films": 64}
    assert set(store.splits()) == {"train", "test"}
    groups = {split: set(store.table(split)["group"].to_pylist()) for split in store.splits()}
    assert not groups["train"] & groups["test"]
    right_first = []
    for split in store.splits():
        table = store.table(split)
        for row in store.rows(table, range(table.num_rows)):
            sample = store.sample(row)
            assert len(sample.answer.options) == 2
            assert len(sample.tags) == 2
            assert decode_image(store.media(row)[0], sample.media[0]).shape == (64, 64, 3)
            right_first.append(sample.answer.letter == "A")
    assert 0.25 < np.mean(right_first) < 0.75


def test_the_options_of_a_pair_are_the_two_captions(world):
    store = Store(world[0])
    table = store.table("test")
    samples = {s.id: s for s in store.samples(store.rows(table, range(table.num_rows)))}
    for id, sample in samples.items():
        other = samples[id.replace("-a-", "-x-").replace("-b-", "-a-").replace("-x-", "-b-")]
        assert set(sample.answer.options) == {sample.answer.text, other.answer.text}
        assert sample.group == other.group


def test_a_run_that_was_cut_ends_with_the_same_bytes(world, tmp_path):
    synth.run(synth.parse(RECIPE), tmp_path, device="cpu", log=Log(quiet=True))
    tars = sorted(path.relative_to(tmp_path) for path in tmp_path.glob("shards/*.tar"))
    assert len(tars) > 2
    (tmp_path / tars[1]).unlink()
    kept = (tmp_path / tars[0]).stat().st_mtime_ns
    synth.run(synth.parse(RECIPE), tmp_path, device="cpu", log=Log(quiet=True))
    assert (tmp_path / tars[0]).stat().st_mtime_ns == kept
    assert [sha256_file(tmp_path / tar) for tar in tars] == [sha256_file(world[0] / tar) for tar in tars]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_pairs": 1}, "num_pairs"),
        ({"factors": ["sides"]}, "factors"),
        ({"factors": ["side", "side"]}, "factors must differ"),
        ({"factors": []}, "factors"),
        ({"num_patients": 3}, "unknown key 'num_patients'"),
    ],
)
def test_a_wrong_recipe_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        synth.parse({**RECIPE, **change})

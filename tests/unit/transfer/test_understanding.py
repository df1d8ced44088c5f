import numpy as np
import pytest

from osler.core.errors import InputError
from osler.core.log import Log
from osler.synth import run as synth
from osler.transfer.image_set import Item
from osler.transfer.understanding import PairFilm, caption_margins, measure_choices, read_pair_films
from toy import build_store


def films(factor, *subjects):
    found = []
    for number, subject in enumerate(subjects):
        for letter, value, other in (("a", "left", "right"), ("b", "right", "left")):
            item = Item(f"{factor}{number}{letter}", f"{factor}{number}", "test", (), letter, "", "")
            found.append(PairFilm(item, factor, subject, value, other, f"{value} {subject}", f"{other} {subject}"))
    return found


def measured(shown, margins, how):
    names = [film.factor for film in shown], [film.subject for film in shown]
    measures = measure_choices(*names, pairs=[film.pair for film in shown], margins=np.asarray(margins), how=how)
    return {(m.task, m.metric): m for m in measures}


def test_choices_by_hand():
    """Three pairs: both right; one right; a tie and a right one."""
    shown = films("side", "effusion", "effusion", "nodule")
    found = measured(shown, np.array([0.2, 0.1, 0.3, -0.1, 0.0, 0.4]), how="captions")
    whole = found["understanding/captions/side", "choice_accuracy"]
    assert whole.estimate.value == pytest.approx((1 + 1 + 1 + 0 + 0.5 + 1) / 6)
    assert (whole.n, whole.n_clusters, whole.baseline["chance"].value) == (6, 3, 0.5)
    assert whole.notes == ("1 of 6 choices are ties",)
    both = found["understanding/captions/side", "pair_accuracy"]
    assert (both.estimate.value, both.n, both.baseline["chance"].value) == (pytest.approx(1 / 3), 3, 0.25)
    assert found["understanding/captions/side/effusion", "choice_accuracy"].estimate.value == 0.75
    assert found["understanding/captions/side/nodule", "choice_accuracy"].estimate.value == 0.75


def test_an_encoder_that_does_not_look_is_right_half_of_the_time():
    shown = films("side", *["nodule"] * 20)
    captions = {"left nodule": np.array([1.0, 0.0]), "right nodule": np.array([0.0, 1.0])}
    margins = caption_margins(shown, np.tile([0.9, 0.1], (40, 1)), captions)
    found = measured(shown, margins, how="captions")
    assert found["understanding/captions/side", "choice_accuracy"].estimate.value == 0.5
    assert found["understanding/captions/side", "pair_accuracy"].estimate.value == 0
    assert margins[:2].tolist() == pytest.approx([0.8, -0.8])


def test_factors_are_told_apart_and_one_subject_needs_no_line_of_its_own():
    shown = films("side", "nodule") + films("count", "nodule")
    found = measured(shown, np.array([1.0, 1, -1, -1]), how="probe")
    assert set(found) == {
        ("understanding/probe/side", "choice_accuracy"),
        ("understanding/probe/side", "pair_accuracy"),
        ("understanding/probe/count", "choice_accuracy"),
        ("understanding/probe/count", "pair_accuracy"),
    }
    assert found["understanding/probe/count", "choice_accuracy"].estimate.value == 0


def test_pairs_are_read_from_a_store_that_synth_drew(tmp_path):
    recipe = {"generator": "phantom_pairs", "num_pairs": 6, "image_px": 48, "splits": {"train": 0.5, "test": 0.5}}
    synth.run(synth.parse(recipe), tmp_path, device="cpu", log=Log(quiet=True))
    shown = read_pair_films(tmp_path, "test")
    assert len(shown) % 2 == 0
    for first, second in zip(shown[::2], shown[1::2], strict=True):
        assert first.pair == second.pair
        assert (first.value, first.caption) == (second.other, second.other_caption)
        assert first.caption != second.caption
        assert first.item.key != second.item.key
        assert first.item.read()[:4] == b"\x89PNG"


def test_a_store_without_pairs_is_refused(tmp_path):
    build_store(tmp_path)
    with pytest.raises(InputError, match="holds no pairs of films; expected samples of tasks phantom_pair_.*_pairs"):
        read_pair_films(tmp_path, "test")

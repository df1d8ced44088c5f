import pytest

from osler.core.errors import InputError
from osler.store.reader import Store
from osler.synth.reasoning.source import article_splits, plan_pieces
from reasoning_world import curated, draw_articles


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("articles")
    draw_articles(root / "a", num_articles=8, num_figures=2, licensed=lambda n: True)
    # One picture of the sixth article is one of the second's, too.
    shared = (root / "a" / "PMC1" / "f0.png").read_bytes()
    (root / "a" / "PMC5" / "f1.png").write_bytes(shared)
    return root, curated(root / "a", root / "store")


def test_splits_follow_articles_and_articles_that_share_an_image_stay_together(folders):
    _, folder = folders
    shares = {"train": 0.5, "validation": 0.0, "test": 0.5}
    splits = article_splits([Store(folder)], ["train"], shares)
    assert len(splits) == 8 and set(splits.values()) == {"train", "test"}
    assert splits["jats_articles/PMC1"] == splits["jats_articles/PMC5"]
    lone = dict.fromkeys(splits, "train")
    assert article_splits([Store(folder)], ["train"], {"train": 1.0, "validation": 0.0, "test": 0.0}) == lone


def test_pieces_hold_every_record_once(folders):
    _, folder = folders
    pieces = plan_pieces([Store(folder)], ["train"], piece_figures=3)
    rows = [row for piece in pieces for row in piece.rows]
    assert [piece.number for piece in pieces] == list(range(len(pieces))) and len(rows) == len(set(rows)) == 16
    assert all(len(piece.rows) <= 3 for piece in pieces)


def test_two_stores_with_the_same_figure_and_a_split_that_is_not_there_are_refused(folders):
    _, folder = folders
    with pytest.raises(InputError, match="both hold the sample .*Curate the articles into one store"):
        plan_pieces([Store(folder), Store(folder)], ["train"], piece_figures=3)
    with pytest.raises(InputError, match="no store has a split test; expected some of train"):
        plan_pieces([Store(folder)], ["test"], piece_figures=3)

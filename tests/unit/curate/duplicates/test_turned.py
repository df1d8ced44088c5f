import numpy as np
import pytest
from PIL import Image

from films import textured
from osler.curate.duplicates.turned import Pool, see

MOVES = {
    "turned": lambda picture: picture.rotate(35),
    "upside down": lambda picture: picture.transpose(Image.Transpose.ROTATE_180),
    "mirrored and turned": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).rotate(-20),
    "moved": lambda picture: picture.transform(picture.size, Image.Transform.AFFINE, (1, 0, 40, 0, 1, -30)),
    "smaller and turned": lambda picture: picture.resize((120, 120)).rotate(15),
}


def seen(picture: Image.Image):
    return see(np.asarray(picture))


@pytest.mark.parametrize("move", MOVES)
def test_a_moved_copy_is_found_among_others(move):
    pool = Pool([seen(textured(seed)) for seed in range(1, 5)] + [seen(MOVES[move](textured(0)))])
    assert [(copy.other, copy.is_doubtful) for copy in pool.copies(seen(textured(0)))] == [(4, False)]


def test_what_comes_before_is_not_looked_at():
    pool = Pool([seen(textured(0).rotate(30)), seen(textured(1))])
    assert pool.copies(seen(textured(0)), first=1) == []


def test_a_copy_in_place_is_left_to_the_hashes():
    assert Pool([seen(textured(0))]).copies(seen(textured(0))) == []


def test_pictures_without_detail_are_no_copies_of_each_other():
    flat = see(np.full((64, 64), 128, np.uint8))
    assert len(flat.plain.xy) == 0 and Pool([flat, seen(textured(0))]).copies(flat) == []
    assert Pool([]).copies(flat) == []

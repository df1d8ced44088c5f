from osler.curate.estimate import estimate_cost
from osler.schema.sample import Sample, closed, image, user


def test_tiles_are_exact_and_tokens_follow_the_text():
    refs = [image("a", width=800, height=600), image("b", width=336, height=336)]
    short = Sample(turns=(user(*refs, "Why?"),), answer=closed("no"))
    long = Sample(turns=(user("Why? " * 70),), answer=closed("no"))
    assert estimate_cost(short, tile_px=336) == (10, 14)
    assert estimate_cost(long, tile_px=336) == (109, 0)

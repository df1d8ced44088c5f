import subprocess
import sys

import numpy as np

from osler.core.rng import generator


def draws(*arguments):
    return generator(*arguments).integers(0, 2**32, size=8)


def test_the_same_names_give_the_same_stream_and_others_another():
    assert np.array_equal(draws(1, "a", 2), draws(1, "a", 2))
    others = [draws(2, "a", 2), draws(1, "b", 2), draws(1, "a"), draws(1, "a2"), draws(12, "a")]
    assert not any(np.array_equal(draws(1, "a", 2), other) for other in others)


def test_another_process_gives_the_same_stream():
    code = "from osler.core.rng import generator; print(generator(7, 'x').integers(0, 1000, size=4).tolist())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(generator(7, "x").integers(0, 1000, size=4).tolist())

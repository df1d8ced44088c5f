"""One built bundle for all tests; a test that changes something copies it."""

import pytest

from bundle_world import build_bundle


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder of inputs, and the output folder with `bundle/` and `toy.tar`."""
    base = tmp_path_factory.mktemp("bundle")
    build_bundle(base / "in", base / "out", archive=True)
    return base / "in", base / "out"

"""What all tests share: which are off by default, and where the real files are."""

from pathlib import Path

import pytest

from osler.core.settings import read_settings


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip `gpu` and `network` tests unless `-m` names them."""
    asked = config.getoption("-m")
    for item in items:
        for mark in ("gpu", "network"):
            if item.get_closest_marker(mark) and mark not in asked:
                item.add_marker(pytest.mark.skip(reason=f"{mark} tests are off; run them with -m {mark}"))


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real files; skips where it is absent."""
    folder = read_settings().test_data
    if not folder.is_dir():
        pytest.skip(f"no real files at {folder}; set OSLER_TEST_DATA to the folder that holds them")
    return folder.resolve()

"""What several of the tests here share."""

import pytest


@pytest.fixture(scope="module")
def chromium():
    """Headless Chromium, which the reader's page is opened in."""
    pytest.importorskip("playwright", reason="no playwright (extra `dev`)")
    from page_world import CHROMIUM, PICTURES, browser

    if not CHROMIUM:
        pytest.skip("no Chromium (Debian: chromium)")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def world():
    """The gateway with the page, two scripted models and the routes of studies."""
    from page_world import running

    with running() as one:
        yield one


@pytest.fixture(scope="module")
def chests():
    """A film and its prior of 34 days before, 2048 x 2048 with 12 bits."""
    from page_world import chest, film

    now = film(0, "20240601", pixels=chest())
    then = film(2, "20240428", pixels=chest(shift=0.015), PatientID="MRN00000")
    return [("now.dcm", now), ("then.dcm", then)]


@pytest.fixture
def tab(chromium, world):
    """A tab of it; nothing may be asked of another host or complained of in the console."""
    from page_world import Tab

    opened = Tab(chromium, world.url)
    yield opened
    foreign = [url for url in opened.requests if not url.startswith((world.url, f"blob:{world.url}"))]
    opened.close()
    assert (foreign, opened.problems) == ([], [])

"""The reader page in headless Chromium: keys alone, sizes, themes, barriers, errors.

Screenshots are kept in `out/reader_page/`. Debian's package is `chromium`.
"""

import re

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.serve.limits import Limits
from page_world import Tab, film, findings, keep_picture, running
from serve_world import KEY, Saying

pytestmark = pytest.mark.e2e
SIZES = {"wide": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


def choose_by_key(tab):
    """The dialog that Enter on the focused button opens; headless Chromium loses some of them."""
    from playwright.sync_api import TimeoutError as NoDialogError

    for _ in range(4):
        try:
            with tab.page.expect_file_chooser(timeout=4000) as chooser:
                tab.page.keyboard.press("Enter")
            return chooser.value
        except NoDialogError:
            continue
    raise AssertionError("no file dialog opens")


def test_keys_alone_lead_through_everything(chromium, world, chests):
    tab = Tab(chromium, world.url)
    keys = tab.page.keyboard
    keys.type(KEY)
    keys.press("Enter")
    tab.until("!document.getElementById('work').hidden")
    assert tab.page.evaluate("document.activeElement.id") == "choose"
    chooser = choose_by_key(tab)
    chooser.set_files([{"name": n, "mimeType": "", "buffer": d} for n, d in chests])
    tab.until("document.querySelectorAll('#series li').length === 2", timeout_s=60)
    keys.press("Escape")
    reached = []
    tab.page.evaluate("document.body.focus(); document.activeElement.blur()")
    for _ in range(60):
        keys.press("Tab")
        facts = """(() => { const e = document.activeElement; const s = getComputedStyle(e);
          const ring = s.outlineStyle !== "none" || getComputedStyle(e.parentElement).outlineStyle !== "none";
          return [e === document.body ? "BODY" : e.id || e.className || e.tagName, ring]; })()"""
        name, ring = tab.page.evaluate(facts)
        if name == "BODY":
            continue  # around the end
        assert ring, f"{name} shows no focus"
        reached.append(name)
    for wanted in (
        "theme",
        "help",
        "sign-out",
        "preset",
        "invert",
        "beside",
        "link",
        "stage",
        "choose",
        "mode",
        "question",
        "send",
    ):
        assert wanted in reached, wanted
    tab.page.locator(".stage").first.focus()
    keys.press("?")
    tab.until("document.getElementById('help-dialog').open")
    keep_picture("help", tab)
    assert findings(tab) == []
    keys.press("Escape")
    for key in ("m", "Alt+ArrowLeft", "Alt+Shift+ArrowDown", "i", "3", "q"):
        keys.press(key)
    assert tab.page.evaluate("document.activeElement.id") == "question"
    keys.type("Anything?")
    tab.answered(lambda: keys.press("Control+Enter"))
    tab.page.locator(".stage").first.focus()
    keys.press("Delete")
    assert tab.page.locator("#use-mark").is_hidden()
    tab.page.locator("#sign-out").focus()
    keys.press("Enter")
    tab.until("!document.getElementById('sign-in').hidden")
    assert tab.problems == []
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_sizes_and_themes(chromium, world, chests, size, scheme):
    tab = Tab(chromium, world.url, scheme=scheme, reduced_motion="reduce", **SIZES[size])
    assert findings(tab) == []
    keep_picture(f"sign_in_{size}_{scheme}", tab)
    tab.sign_in()
    keep_picture(f"empty_{size}_{scheme}", tab)
    assert findings(tab) == []
    tab.load(chests, series=2)
    tab.ask("Compare with the prior study.")
    tab.page.evaluate("document.querySelector('.answer details').open = true")
    keep_picture(f"reading_{size}_{scheme}", tab)
    assert findings(tab) == []
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert tab.page.evaluate(wide) is False, "nothing is wider than the screen"
    tab.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    top = tab.page.locator(".mark").bounding_box()
    assert 0 <= top["y"] < SIZES[size]["height"], "the notice stays in view"
    assert "not a medical device" in tab.page.locator(".mark").inner_text()
    assert tab.problems == []
    tab.close()


def test_errors_are_told_in_words(chromium):
    class Broken(Saying):
        async def answer(self, ask):
            async for piece in super().answer(ask):
                yield piece
                if "two" in piece.text:
                    raise InputError("broken")

    limits = Limits(requests_per_minute=30, burst=6)
    with running(engines=[Broken(model="toy")], limits=limits) as world:
        tab = Tab(chromium, world.url)
        tab.page.fill("#key", "osler_wrong_key")
        tab.page.press("#key", "Enter")
        said = "document.querySelector('#sign-in-said .error')?.textContent"
        tab.until(f"{said}?.startsWith('The server does not accept this key')")
        tab.sign_in()
        tab.page.set_input_files("#files", [{"name": "a.pdf", "mimeType": "", "buffer": b"%PDF-1.7"}])
        tab.until("document.querySelector('#intake-said').textContent.includes('neither PNG, JPEG, DICOM nor ZIP')")
        broken = film(0, "20240601", pixels=np.zeros((8, 8), np.uint16))[:700]
        tab.page.set_input_files("#files", [{"name": "b.dcm", "mimeType": "", "buffer": broken}])
        tab.until("document.querySelector('#intake-said').textContent.includes('1 file not taken')", timeout_s=30)
        tab.ask("Anything?")
        assert "is not whole" in tab.page.locator(".answer .error").inner_text()
        keep_picture("errors", tab)
        for _ in range(8):
            tab.ask("Again?")
        assert re.search(r"asks too often\. Try again in \d+ s", tab.page.locator("#answers").inner_text())
        tab.page.fill("#question", "")
        tab.page.click("#send")
        assert "Type a question first." in tab.page.locator("#ask-said").inner_text()
        tab.close()

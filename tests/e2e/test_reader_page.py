"""The reader page in headless Chromium: speed, pictures, answers, and what is sent.

Screenshots are kept in `out/reader_page/`. Debian's package is `chromium`.
"""

import hashlib
import io
import re
import statistics
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from page_world import Tab, bytes_of, chest, film, findings, harmony, keep_picture, png, running, sent_images
from serve_world import KEY, Saying

pytestmark = pytest.mark.e2e
FIRST_PAINT_MS, REDRAW_MS = 1000, 30


def test_first_paint(chromium, world, capsys):
    times, sizes = [], []
    for _ in range(5):
        tab = Tab(chromium, world.url)
        tab.until("document.body.classList.contains('ready')")
        tab.until("performance.getEntriesByName('first-contentful-paint').length > 0")
        times.append(tab.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        entries = "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        sizes.append(tab.page.evaluate(f"{entries}.reduce((sum, each) => sum + each.decodedBodySize, 0)"))
        assert tab.problems == []
        tab.close()
    with capsys.disabled():
        print(f"\nfirst paint: {sorted(map(round, times))} ms (limit {FIRST_PAINT_MS}); {max(sizes) / 1000:.0f} kB")
    assert statistics.median(times) < FIRST_PAINT_MS
    assert 50_000 < max(sizes) < 300_000


def test_window_redraw(tab, capsys):
    """A 2048 x 2048 picture of 16 bits, drawn to the end: reading one pixel back waits for all of it."""
    script = """async () => {
      const { Viewport } = await import("/page/viewport.js");
      const { stackOf } = await import("/page/pictures.js");
      document.getElementById("work").hidden = false;
      document.body.classList.remove("empty");
      const values = new Uint16Array(2048 * 2048).map((_, place) => (place * 2654435761) >>> 16);
      const source = { width: 2048, height: 2048, size: 65536, values, bytes: values.byteLength };
      const picture = { window: { center: 32768, width: 65536 }, boxes: [], modality: "DX", scale: null,
        decoded: async () => source };
      const view = new Viewport(document.getElementById("current"), "Measured", { changed() {}, asked() {} });
      await view.show(stackOf({ title: "x", pictures: [picture] }));
      await new Promise((done) => setTimeout(done, 200));
      const took = [], seen = new Set();
      for (let number = 0; number < 120; number += 1) {
        await new Promise(requestAnimationFrame);
        if (number % 10 === 0) await new Promise((done) => setTimeout(done, 150));
        view.look.window = { center: 20000 + 100 * number, width: 30000 - 50 * number };
        const start = performance.now();
        view.paint();
        const pixel = view.pixels.getContext("2d").getImageData(view.pixels.width / 2, view.pixels.height / 2, 1, 1);
        took.push(performance.now() - start);
        seen.add(pixel.data[0]);
      }
      return [took, view.pixels.width * view.pixels.height, seen.size];
    }"""
    took, drawn, num_greys = tab.page.evaluate(script)
    assert drawn > 300_000 and num_greys > 10, "each redraw shows another window"
    # The machine may be shared: of twelve rounds of ten, the one least disturbed tells what an idle core does.
    rounds = [statistics.median(took[start : start + 10]) for start in range(0, 120, 10)]
    with capsys.disabled():
        told = f"p50 {min(rounds):.1f} ms in the calmest round, {statistics.median(took):.1f} ms over all"
        print(f"\nredraw of 2048 x 2048: {told} (limit {REDRAW_MS})")
    assert min(rounds) < REDRAW_MS


def test_a_study_and_its_prior_are_read(tab, chests):
    tab.sign_in()
    tab.load(chests, series=2)
    captions = tab.page.locator(".caption").all_inner_texts()
    assert [re.sub(r"\s+", " ", each) for each in captions] == [
        "Current DX chest pa latest", "Prior DX chest pa 34 days earlier",
    ]  # fmt: skip
    corner = tab.page.locator(".corner").first
    before = corner.inner_text()
    tab.page.locator(".stage").first.focus()
    for _ in range(3):
        tab.page.keyboard.press("Shift+ArrowRight")
    tab.page.keyboard.press("+")
    tab.until("document.querySelectorAll('.corner')[1].textContent.includes('zoom 120 %')")
    linked = tab.page.locator(".corner").all_inner_texts()
    assert linked[0] != before and linked[0] == linked[1]
    tab.page.keyboard.press("l")
    tab.page.keyboard.press("r")
    tab.until("document.querySelectorAll('.corner')[0].textContent.includes('zoom 100 %')")
    assert "zoom 120 %" in tab.page.locator(".corner").nth(1).inner_text()
    keep_picture("prior_beside_current", tab)
    tab.ask("What has changed?")
    words = tab.bodies[-1]["messages"][0]["content"][-1]["text"]
    assert words == "Image 1: current study. Image 2: prior study, 34 days earlier.\nWhat has changed?"
    assert findings(tab) == []


def test_what_is_a_prior_is_never_guessed(tab, chests):
    """Pictures without dates, uploads whose dates are not compared, and people who are not the same."""
    tab.sign_in()
    small = [(f"{n}.png", png(np.full((40, 40), 40 * n, np.uint8))) for n in (1, 2)]
    tab.load(small, series=2)
    assert tab.page.locator("#prior").is_hidden()
    tab.ask("Anything?")
    assert tab.bodies[-1]["messages"][0]["content"][-1]["text"] == "Anything?"
    tab.page.get_by_role("button", name="Show Picture 2 as prior").click()
    tab.ask("And now?")
    words = tab.bodies[-1]["messages"][0]["content"][-1]["text"]
    assert words == "Image 1: current study. Image 2: prior study.\nAnd now?"
    tab.page.click("#clear")
    tab.load(chests[:1], series=1)
    tab.load([("other.dcm", film(4, "20230101", pixels=np.zeros((64, 64), np.uint16), PatientID="SOMEONE"))], series=2)
    assert tab.page.locator("#prior").is_hidden()
    assert "Studies of 2 people are loaded" in tab.page.locator("#people-said").inner_text()


def test_an_answer_streams_with_its_reasoning_folded_and_its_region_drawn(tab, chests):
    tab.sign_in()
    tab.load(chests[:1], series=1)
    tab.ask("Is there a pleural effusion?")
    card = tab.page.locator(".answer")
    assert card.locator(".words[role=log]").inner_text().startswith("Findings:\nThe right costophrenic angle")
    assert card.locator("details").get_attribute("open") is None
    card.locator("summary").click()
    assert "costophrenic angle is blunted on one side" in card.locator("details .words").inner_text()
    assert "Draft, not verified" in card.inner_text()
    assert card.get_by_role("button", name="effusion").count() == 1 and "<box>" not in card.inner_text()
    lit = "(() => { const c = document.querySelector('.overlay'); const d = c.getContext('2d')"
    lit += (
        ".getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0;"
    )
    lit += " return n; })()"
    tab.until(f"{lit} > 500")
    keep_picture("answer_with_region", tab)
    assert findings(tab) == []
    tab.page.keyboard.press("Tab")
    tab.page.locator("#boxes").click()
    tab.until(f"{lit} === 0")


def test_whatever_is_drawn_the_model_gets_the_bytes_as_they_came(tab, world):
    film8 = png((chest(512, 512) >> 4).astype(np.uint8))
    photo = io.BytesIO()
    Image.fromarray(np.random.default_rng(3).integers(0, 255, (300, 400, 3), dtype=np.uint8)).save(photo, "JPEG")
    tab.sign_in()
    tab.load([("a.png", film8), ("b.jpg", photo.getvalue())], series=2)
    tab.page.check("#sent-1", force=True)
    tab.page.locator("input[name=tool][value=mark]").check(force=True)
    box = tab.page.locator(".stage").first.bounding_box()
    tab.page.mouse.move(box["x"] + 150, box["y"] + 150)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 300, box["y"] + 280, steps=5)
    tab.page.mouse.up()
    tab.page.locator(".stage").first.focus()
    for key in ("Shift+ArrowRight", "Shift+ArrowUp", "i", "+", "w", "a"):
        tab.page.keyboard.press(key)
    tab.page.get_by_role("button", name="Put my mark in the question").click()
    tab.page.locator("#question").press_sequentially(" what is here?")
    tab.answered(lambda: tab.page.keyboard.press("Control+Enter"))
    keep_picture("marked", tab)
    assert [bytes_of(uri) for uri in sent_images(tab.bodies[0])] == [film8, photo.getvalue()]
    words = tab.bodies[0]["messages"][0]["content"][-1]["text"]
    numbers = [int(n) for n in re.search(r"<box>\[(.*?)\]</box>", words)[1].split(", ")]
    assert numbers[0] < numbers[2] <= 1000 and numbers[1] < numbers[3] <= 1000 and words.endswith("what is here?")
    # The answer draws a region; the next question sends the same bytes again.
    tab.ask("And the heart?")
    assert [bytes_of(uri) for uri in sent_images(tab.bodies[1])] == [film8, photo.getvalue()]
    assert [m["role"] for m in tab.bodies[1]["messages"]] == ["user", "assistant", "user"]


def test_dicom_is_sent_as_the_server_shows_it_or_under_the_window_set_here(tab, world, chests):
    tab.sign_in()
    with tab.page.expect_response(lambda reply: "/v1/studies" in reply.url) as caught:
        tab.load(chests[:1], series=1)
    image = caught.value.json()["studies"][0]["series"][0]["images"][0]
    tab.ask("What is seen?")
    (sent,) = sent_images(tab.bodies[-1])
    assert hashlib.sha256(bytes_of(sent)).hexdigest() == image["sha256"]
    tab.page.locator(".stage").first.focus()
    for _ in range(6):
        tab.page.keyboard.press("Shift+ArrowLeft")
    tab.page.check("#window-sent")
    tab.ask("And now?")
    (own,) = sent_images(tab.bodies[-1])
    values = np.asarray(Image.open(io.BytesIO(bytes_of(image["values"]["url"])))).astype(np.float64)
    center, width = image["values"]["center"], image["values"]["width"]
    for _ in range(6):
        width -= max(1, width / 20)
    levels = np.rint(np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * 255)
    shown = np.asarray(Image.open(io.BytesIO(bytes_of(own)))).astype(np.float64)
    assert shown.shape == levels.shape and np.abs(shown - levels).max() <= 1
    assert len(tab.bodies[-1]["messages"]) == 1, "other pictures begin a new conversation"


def test_multi_frame_scrolls(tab, world):
    frames = np.stack([np.full((64, 64), 100 * n, np.uint16) for n in range(12)])
    several = {"NumberOfFrames": 12, "Rows": 64, "Columns": 64, "SamplesPerPixel": 1}
    several["PhotometricInterpretation"] = "MONOCHROME2"
    tab.sign_in()
    tab.load([("ct.dcm", film(0, "20240601", pixels=frames, **several))], series=1)
    stage = tab.page.locator(".stage").first
    stage.focus()
    for key, frame in (("ArrowDown", 2), ("PageDown", 12), ("ArrowUp", 11), ("Home", 1), ("End", 12)):
        tab.page.keyboard.press(key)
        tab.until(f"document.querySelector('.corner').textContent.startsWith('frame {frame} of 12')")
    stage.hover()
    tab.page.mouse.wheel(0, -100)
    tab.until("document.querySelector('.corner').textContent.startsWith('frame 11 of 12')")
    tab.ask("What is seen?")
    assert len(sent_images(tab.bodies[-1])) == 8
    tab.page.select_option("#frames-sent", "view")
    tab.ask("And on this one?")
    assert len(sent_images(tab.bodies[-1])) == 1
    keep_picture("multi_frame", tab)


def test_nothing_is_kept_in_the_browser(tab, chests):
    tab.sign_in()
    tab.load(chests[:1], series=1)
    tab.ask("PLANTED QUESTION?")
    kept = """async () => [localStorage.length, sessionStorage.length, document.cookie,
      (await indexedDB.databases()).length, (await caches.keys()).length,
      (await navigator.serviceWorker.getRegistrations()).length]"""
    assert tab.page.evaluate(kept) == [0, 0, "", 0, 0, 0]
    assert all("osler_test" not in url and "PLANTED" not in url for url in tab.requests)
    tab.page.click("#sign-out")
    tab.until("!document.getElementById('sign-in').hidden")
    markup = tab.page.content()
    assert "PLANTED" not in markup and KEY not in markup and "Findings" not in markup
    assert tab.page.input_value("#question") == "" and tab.page.input_value("#key") == ""


def test_drafts_are_saved_with_the_notice(tab, chests):
    tab.sign_in()
    tab.load(chests[:1], series=1)
    tab.ask("Is there a pleural effusion?")
    for words, mark in (("Save Text", b"NOT VERIFIED"), ("Save FHIR", b'"preliminary"'), ("Save DICOM SR", b"DICM")):
        with tab.page.expect_download() as caught:
            tab.page.get_by_role("button", name=words).click()
        assert mark in Path(caught.value.path()).read_bytes(), words


def test_words_of_a_model_are_never_markup(chromium):
    nasty = "<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b> </textarea>"
    with running(engines=[Saying(pieces=harmony("<i>x</i>", nasty), model="nasty")], with_studies=False) as world:
        tab = Tab(chromium, world.url)
        tab.sign_in()
        tab.ask("Anything?")
        assert nasty in tab.page.locator(".answer .words[role=log]").inner_text()
        assert tab.page.locator(".answer img, .answer script, .answer b, .answer i").count() == 0
        assert tab.problems == []
        tab.close()

"""The reader's page in headless Chromium, against the gateway on a real socket with scripted models.

Screenshots are kept in `out/reader_page/`. Debian's package is `chromium`.
"""

import base64
import hashlib
import io
import json
import re
import statistics
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("playwright", reason="the extra `browser` is not installed")
from osler.core.errors import InputError
from osler.serve.limits import Limits
from page_world import CHROMIUM, Tab, browser, chest, film, harmony, png, running
from serve_world import KEY, Saying

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not CHROMIUM, reason="no Chromium (Debian: chromium)")]
PICTURES = Path("out/reader_page")
FIRST_PAINT_MS, REDRAW_MS = 1000, 30
SIZES = {"wide": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def chromium():
    PICTURES.mkdir(parents=True, exist_ok=True)
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def world():
    with running() as one:
        yield one


@pytest.fixture(scope="module")
def chests():
    """A film and its prior of 34 days before, 2048 x 2048 with 12 bits."""
    now = film(0, "20240601", pixels=chest())
    then = film(2, "20240428", pixels=chest(shift=0.015), PatientID="MRN00000")
    return [("now.dcm", now), ("then.dcm", then)]


@pytest.fixture
def tab(chromium, world):
    opened = Tab(chromium, world.url)
    yield opened
    foreign = [url for url in opened.requests if not url.startswith((world.url, f"blob:{world.url}"))]
    opened.close()
    assert (foreign, opened.problems) == ([], [])


def picture(name, tab):
    tab.page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=True)


def sent_images(body):
    parts = [part for message in body["messages"] if message["role"] == "user" for part in message["content"]]
    return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


def bytes_of(uri):
    return base64.b64decode(uri.split(",", 1)[1])


def findings(tab):
    """What axe-core calls serious or critical."""
    import axe_playwright_python

    script = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    tab.page.evaluate(script)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = tab.page.evaluate(
        "(tags) => axe.run(document, { runOnly: { type: 'tag', values: tags } }).then((r) => r.violations)", tags
    )
    return [
        (each["id"], [node["target"] for node in each["nodes"]])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]


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


def first_is_left(seed, reader, item):
    """How the page draws sides."""
    return hashlib.sha256(f"{seed}\nside\n{reader}\n{item}".encode()).digest()[0] < 128


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
    picture("prior_beside_current", tab)
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
    picture("answer_with_region", tab)
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
    picture("marked", tab)
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
    picture("multi_frame", tab)


def test_two_models_side_by_side(tab, world, chests):
    tab.sign_in()
    tab.load(chests[:1], series=1)
    tab.page.select_option("#mode", "two")
    tab.ask("Is there a pleural effusion?")
    assert tab.page.locator(".answer h4").all_inner_texts() == ["osler-20b", "peer-8b"]
    assert {body["model"] for body in tab.bodies} == {"osler-20b", "peer-8b"}
    assert "No pleural effusion is seen." in tab.page.locator(".answer").nth(1).inner_text()
    picture("side_by_side", tab)
    assert findings(tab) == []
    models = {event.model for event in world.served.events if event.route.endswith("completions")}
    assert {"osler-20b", "peer-8b"} <= models


def test_a_blinded_reading_is_exported_and_scored(tab, world, chests, tmp_path):
    from osler.evaluation.judging.verdicts import read_verdicts

    films = {f"{n}.png": png((chest(256, 256, shift=0.01 * n) >> 4).astype(np.uint8)) for n in range(6)}
    lines = [
        json.dumps({"item_id": f"item-{n}", "cluster": f"person-{n}", "task": "free",
                    "question": f"Case {n}: what is seen?", "images": [f"{n}.png"]})
        for n in range(6)
    ]  # fmt: skip
    tab.sign_in()
    tab.page.select_option("#mode", "blind")
    given = [{"name": "cases.jsonl", "mimeType": "", "buffer": "\n".join(lines).encode()}]
    given += [{"name": name, "mimeType": "", "buffer": data} for name, data in films.items()]
    tab.page.set_input_files("#files", given)
    tab.until("document.getElementById('blind-said').textContent.includes('6 cases')")
    tab.page.fill("#reader-name", "ann")
    tab.page.fill("#seed", "study-1")
    picture("blinded_before", tab)
    tab.page.click("#begin-blind")
    shown = []
    for number in range(6):
        tab.until("document.getElementById('verdict') !== null")
        whole = tab.page.locator("body").inner_text()
        assert "osler-20b" not in whole and "peer-8b" not in whole
        sides = tab.page.locator("#duel .answer .words").all_inner_texts()
        shown.append("left" if sides[0].startswith("Findings") else "right")
        if number == 1:
            picture("blinded", tab)
            assert findings(tab) == []
        tab.page.keyboard.press({0: "1", 1: "2", 2: "3", 3: "4", 4: "1", 5: "1"}[number])
        tab.page.keyboard.press("Enter")
        tab.until(f"document.getElementById('blind-progress').textContent.includes('{number + 1} of 6')")
    assert len(set(shown)) == 2, "sides are drawn anew for each case"
    with tab.page.expect_download() as caught:
        tab.page.click("#export")
    path = tmp_path / "verdicts.jsonl"
    caught.value.save_as(path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["first_is"] for row in rows] == shown
    drawn = ["left" if first_is_left("study-1", "ann", row["item_id"]) else "right" for row in rows]
    assert drawn == shown and all(row["seconds"] >= 0 and len(row["images"]) == 1 for row in rows)
    found = read_verdicts([path])
    assert found.models == ("osler-20b", "peer-8b") and len(found.duels) == 6
    outcomes = found.outcomes["ann"]
    by_item = {found.duels[key].item_id: outcome for key, outcome in outcomes.items()}
    sides_of, names = {"left", "right"}, {True: "first", False: "second"}
    wanted = {
        row["item_id"]: names[row["verdict"] == row["first_is"]] if row["verdict"] in sides_of else row["verdict"]
        for row in rows
    }
    assert by_item == wanted


def test_both_answers_are_shown_at_once_however_long_each_takes(chromium):
    fast = Saying(pieces=harmony("", "Fast."), model="a-fast")
    slow = Saying(pieces=harmony("", "Slow and slow."), model="b-slow", wait_s=0.25)
    with running(engines=[fast, slow], with_studies=False) as world:
        tab = Tab(chromium, world.url)
        tab.sign_in()
        tab.page.select_option("#mode", "blind")
        tab.page.fill("#reader-name", "ann")
        tab.page.click("#begin-blind")
        tab.page.fill("#question", "What is seen?")
        tab.page.evaluate(
            """new MutationObserver(() => {
              (window.seen ??= []).push(document.querySelectorAll("#duel .answer").length);
            }).observe(document.getElementById("duel"), { childList: true, subtree: true })"""
        )
        tab.page.keyboard.press("Control+Enter")
        tab.page.click("#send")
        tab.until("document.getElementById('verdict') !== null", timeout_s=20)
        assert set(tab.page.evaluate("window.seen")) == {0, 2}
        slow.trouble = "x"
        tab.close()


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
    picture("help", tab)
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
    picture(f"sign_in_{size}_{scheme}", tab)
    tab.sign_in()
    picture(f"empty_{size}_{scheme}", tab)
    assert findings(tab) == []
    tab.load(chests, series=2)
    tab.ask("Compare with the prior study.")
    tab.page.evaluate("document.querySelector('.answer details').open = true")
    picture(f"reading_{size}_{scheme}", tab)
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
        picture("errors", tab)
        for _ in range(8):
            tab.ask("Again?")
        assert re.search(r"asks too often\. Try again in \d+ s", tab.page.locator("#answers").inner_text())
        tab.page.fill("#question", "")
        tab.page.click("#send")
        assert "Type a question first." in tab.page.locator("#ask-said").inner_text()
        tab.close()


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

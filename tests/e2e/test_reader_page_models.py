"""The reader page in headless Chromium: two models, side by side and blinded.

Screenshots are kept in `out/reader_page/`. Debian's package is `chromium`.
"""

import hashlib
import json

import numpy as np
import pytest

from page_world import Tab, chest, findings, harmony, keep_picture, png, running
from serve_world import Saying

pytestmark = pytest.mark.e2e


def test_two_models_side_by_side(tab, world, chests):
    tab.sign_in()
    tab.load(chests[:1], series=1)
    tab.page.select_option("#mode", "two")
    tab.ask("Is there a pleural effusion?")
    assert tab.page.locator(".answer h4").all_inner_texts() == ["osler-20b", "peer-8b"]
    assert {body["model"] for body in tab.bodies} == {"osler-20b", "peer-8b"}
    assert "No pleural effusion is seen." in tab.page.locator(".answer").nth(1).inner_text()
    keep_picture("side_by_side", tab)
    assert findings(tab) == []
    models = {event.model for event in world.served.events if event.route.endswith("completions")}
    assert {"osler-20b", "peer-8b"} <= models


def first_is_left(seed, reader, item):
    """How the page draws sides."""
    return hashlib.sha256(f"{seed}\nside\n{reader}\n{item}".encode()).digest()[0] < 128


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
    keep_picture("blinded_before", tab)
    tab.page.click("#begin-blind")
    shown = []
    for number in range(6):
        tab.until("document.getElementById('verdict') !== null")
        whole = tab.page.locator("body").inner_text()
        assert "osler-20b" not in whole and "peer-8b" not in whole
        sides = tab.page.locator("#duel .answer .words").all_inner_texts()
        shown.append("left" if sides[0].startswith("Findings") else "right")
        if number == 1:
            keep_picture("blinded", tab)
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

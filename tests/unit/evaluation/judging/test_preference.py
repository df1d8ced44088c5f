"""`osler score` with `method: preference`: a judge that answers by rules, one that likes a side, and people's pages."""

import json
import re

import pytest

from chat_server import Fault, chat_server
from osler.core.errors import InputError, OslerError
from osler.core.log import Log
from osler.endpoint.ask import PausedError
from osler.evaluation import score

from .conftest import NUM_ITEMS, rule_judge

QUIET = Log(quiet=True)
STRONG = ["<think>good good</think>A"] * 4 + ["<think>good</think>A", "<think>poor</think>B"]
WEAK = ["<think>good</think>A"] * 3 + [
    "<think>good good good</think>A",
    "<think>also good</think>A",
    "<think>x</think>A",
]


@pytest.fixture
def compare(tmp_path, data, answered):
    """Run a recipe on answers by model; returns what `preference.json` holds, and the output folder."""
    files: dict[str, str] = {}

    def go(answers, url=None, out="out", **changes):
        for name, raws in answers.items():
            if name not in files:
                files[name] = str(answered(name, raws))
        recipe = {
            "method": "preference",
            "answers": {name: files[name] for name in answers},
            "data": [str(data)],
            **(
                {"judge": {"url": url, "model": "toy", "max_tries": 1, "concurrency": 1, "timeout_s": 5}} if url else {}
            ),
            **changes,
        }
        folder = tmp_path / out
        folder.mkdir(exist_ok=True)
        go.outcome = score.run(score.parse(recipe), folder, device="cpu", log=QUIET)
        return json.loads((folder / "preference.json").read_text()), folder

    return go


def test_a_judge_is_asked_in_both_orders_and_told_no_name(compare):
    with chat_server(rule_judge) as server:
        found, _ = compare({"strong": STRONG, "weak": WEAK}, server.url)
        texts = server.texts()
    assert len(texts) == 2 * NUM_ITEMS
    assert not any("strong" in text or "weak" in text for text in texts)
    rate = found["raters"][0]["win_rates"][0]
    assert rate["counts"] == {"first": 3, "second": 1, "tie": 1, "both_bad": 1, "inconsistent": 0}
    assert rate["rate"]["value"] == pytest.approx((3 + 1) / 6)
    assert rate["decided"]["value"] == pytest.approx(3 / 4)
    assert (rate["n"], rate["n_clusters"]) == (6, 3)
    assert found["raters"][0]["counts"]["said_left"] == found["raters"][0]["counts"]["said_right"] == 4


def test_a_judge_that_likes_the_left_side_prefers_nobody(compare):
    with chat_server(lambda body: json.dumps({"reason": "", "verdict": "left"})) as server:
        found, _ = compare({"strong": STRONG, "weak": WEAK}, server.url)
    rate = found["raters"][0]["win_rates"][0]
    assert rate["counts"]["inconsistent"] == NUM_ITEMS
    assert (rate["rate"]["value"], rate["decided"]["value"], rate["p"]["p"]) == (0.5, None, 1.0)
    assert found["raters"][0]["counts"]["said_left"] == 2 * NUM_ITEMS


def test_the_same_words_are_a_tie_without_asking(compare):
    with chat_server(rule_judge) as server:
        found, _ = compare({"a": STRONG, "b": STRONG}, server.url)
        assert server.requests == []
    assert found["raters"][0]["win_rates"][0]["counts"]["tie"] == NUM_ITEMS


def test_three_models_get_strengths(compare):
    third = ["<think>good good good</think>A", *["<think>poor</think>A"] * 4, "<think>good</think>A"]
    with chat_server(rule_judge) as server:
        found, _ = compare({"strong": STRONG, "weak": WEAK, "third": third}, server.url)
    rater = found["raters"][0]
    assert [(rate["first"], rate["second"]) for rate in rater["win_rates"]] == [
        ("strong", "weak"),
        ("strong", "third"),
        ("weak", "third"),
    ]
    logs = {name: each["value"] for name, each in rater["log_strengths"].items()}
    assert logs["third"] < logs["weak"] < logs["strong"]
    assert sum(logs.values()) == pytest.approx(0)


def test_a_pair_with_an_unreadable_verdict_is_left_out_and_counted(compare):
    def babbles(body):
        return "?" if "also good" in str(body["messages"]) else rule_judge(body)

    with chat_server(babbles) as server:
        found, _ = compare({"strong": STRONG, "weak": WEAK}, server.url)
    assert found["raters"][0]["counts"]["unread"] == 1
    assert found["raters"][0]["win_rates"][0]["n"] == NUM_ITEMS - 1
    with chat_server(lambda body: "?") as server, pytest.raises(OslerError, match="no readable verdict on any of 6"):
        compare({"strong": STRONG, "weak": WEAK}, server.url, "never")


def test_a_judge_that_stops_pauses_and_goes_on(compare):
    left = {"answers": 5}

    def stops(body):
        left["answers"] -= 1
        return rule_judge(body) if left["answers"] >= 0 else Fault(503, "down")

    with chat_server(stops) as server:
        with pytest.raises(PausedError, match="run the same command again"):
            compare({"strong": STRONG, "weak": WEAK}, server.url)
        num_failed = len(server.requests) - 5
        left["answers"] = 1000
        found, _ = compare({"strong": STRONG, "weak": WEAK}, server.url)
        assert len(server.requests) == 2 * NUM_ITEMS + num_failed
    assert found["raters"][0]["n"] == NUM_ITEMS


def read_page(page: str) -> tuple[dict, list[str]]:
    facts = json.loads(re.search(r'data-page="([^"]+)"', page)[1].replace("&quot;", '"'))
    return facts, re.findall(r'<article class="case" id="(\w+)"', page)


def answer(out, reader: str, path, *, prefer: str, num: int | None = None):
    """Fill in a page as a reader who likes one model, by the key; returns the file."""
    facts, ids = read_page((out / "readers" / f"{reader}.html").read_text())
    key = {case["case"]: case for case in json.loads((out / "key.json").read_text())[reader]["cases"]}
    answers = {id: "left" if key[id]["left"] == prefer else "right" for id in ids[:num]}
    path.write_text(json.dumps({**facts, "answers": answers}))
    return str(path)


def test_pages_are_blind(compare):
    found, out = compare({"strong": STRONG, "weak": WEAK}, readers=["ann", "bob"])
    pages = {name: (out / "readers" / f"{name}.html").read_text() for name in ("ann", "bob")}
    for page in pages.values():
        for telling in ("strong", "weak", "item-", "article0", "predictions", "think", str(out), "latency", "http:"):
            assert telling not in page.replace("reader_page", "").replace("Which one reasons", "")
        assert "data:image/png;base64," in page
        assert len(read_page(page)[1]) == NUM_ITEMS
        assert "default-src 'none'" in page
        assert not re.search(r"Date|performance|fetch|XMLHttp|src=\"(?!data:)", page)
    assert not set(read_page(pages["ann"])[1]) & set(read_page(pages["bob"])[1])
    key = json.loads((out / "key.json").read_text())
    sides = {name: {case["item_id"]: case["left"] for case in key[name]["cases"]} for name in key}
    assert sides["ann"] != sides["bob"]
    assert {"strong", "weak"} == set(sides["ann"].values()) | set(sides["bob"].values())
    assert found["raters"] == []


def test_the_script_of_a_page_is_the_one_its_policy_allows(compare):
    import base64
    import hashlib

    _, out = compare({"strong": [*STRONG[:5], "<script>alert(1)</script>"], "weak": WEAK}, readers=["ann"])
    page = (out / "readers" / "ann.html").read_text()
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "<script>alert" not in page
    assert page.count("<script>") == 1


def test_what_readers_say_comes_back_as_models(compare, tmp_path):
    answers = {"strong": STRONG, "weak": WEAK}
    with chat_server(rule_judge) as server:
        _, out = compare(answers, server.url, readers=["ann", "bob"])
        exports = [
            answer(out, "ann", tmp_path / "ann.json", prefer="strong"),
            answer(out, "bob", tmp_path / "bob.json", prefer="weak", num=4),
        ]
        found, _ = compare(answers, server.url, "back", readers=["ann", "bob"], exports=exports)
    raters = {row["rater"]: row for row in found["raters"]}
    assert raters["ann"]["win_rates"][0]["rate"]["value"] == 1.0
    assert raters["bob"]["win_rates"][0]["rate"]["value"] == 0.0
    assert raters["bob"]["counts"] == {"unanswered": 2}
    assert raters["all readers"]["win_rates"][0]["rate"]["value"] == pytest.approx(6 / 10)
    agreed = {tuple(row["raters"]): row for row in found["agreement"]}
    assert agreed["ann", "bob"]["observed"] == 0.0
    assert agreed["judge", "ann"]["observed"] == pytest.approx(3 / 6)
    assert ("judge", "ann", "bob") in agreed


def test_pages_are_the_same_again_and_may_hold_a_part(compare):
    _, first = compare({"strong": STRONG, "weak": WEAK}, readers=["ann"], num_cases=3)
    _, second = compare({"strong": STRONG, "weak": WEAK}, None, "again", readers=["ann"], num_cases=3)
    page = (first / "readers" / "ann.html").read_bytes()
    assert page == (second / "readers" / "ann.html").read_bytes()
    assert len(read_page(page.decode())[1]) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reader": "eve"}, "a reader that the recipe does not name"),
        ({"page": "0" * 16}, "another page than this recipe makes"),
        ({"answers": {"0": "left"}}, "cases that its page does not show"),
        ({"answers": {"0": "maybe"}}, "no export of a reader's page"),
        ({"extra": 1}, "no export of a reader's page"),
    ],
)
def test_an_export_that_cannot_be_is_refused(compare, tmp_path, change, said):
    answers = {"strong": STRONG, "weak": WEAK}
    _, out = compare(answers, readers=["ann"])
    path = tmp_path / "ann.json"
    answer(out, "ann", path, prefer="strong")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=said):
        compare(answers, None, "back", readers=["ann"], exports=[str(path)])


def test_two_exports_of_one_reader_are_refused(compare, tmp_path):
    answers = {"strong": STRONG, "weak": WEAK}
    _, out = compare(answers, readers=["ann"])
    exports = [answer(out, "ann", tmp_path / f"{n}.json", prefer="strong") for n in (1, 2)]
    with pytest.raises(InputError, match="second export of reader ann"):
        compare(answers, None, "back", readers=["ann"], exports=exports)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"answers": {"a": "x"}, "readers": ["r"]}, "answers"),
        ({}, "nobody prefers"),
        ({"readers": ["a", "a"]}, "each once"),
        ({"readers": ["../a"]}, "letters, digits"),
        ({"judge": {"url": "http://a/v1", "model": "m"}, "exports": ["e"]}, "exports need readers"),
        ({"readers": ["a"], "prompt_sha256": {"prefer": "0"}}, "another instruction"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(changes, said):
    recipe = {"method": "preference", "answers": {"a": "x", "b": "y"}, "data": ["d"]} | changes
    with pytest.raises(InputError, match=said):
        score.parse(recipe)


def test_models_that_share_no_item_are_refused_and_failures_are_counted(compare, answered):
    compare({"strong": STRONG, "few": WEAK[:2]}, readers=["ann"])
    assert compare.outcome.counts["answered_by_one_of_two"] == 4
    broken = answered("broken", WEAK, status="error")
    broken.write_text(broken.read_text().replace('"status":"error"', '"status":"ok"', 1))
    go = score.parse(
        {
            "method": "preference",
            "answers": {"a": str(broken), "b": str(broken.parent.parent / "strong" / "predictions.jsonl")},
            "data": [str(broken.parent.parent.parent / "data")],
            "readers": ["ann"],
        }
    )
    out = broken.parent.parent / "mixed"
    out.mkdir()
    assert score.run(go, out, device="cpu", log=QUIET).counts["engine_failed"] == NUM_ITEMS - 1
